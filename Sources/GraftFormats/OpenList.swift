import GraftTensor

/// Something that is chosen by its name and has settings: an optimizer, a schedule.
package protocol Chosen: Sendable {
    static var name: String { get }
    static var settings: [Setting] { get }
    init(_ settings: Settings)
}

/// A choice of one of an open list: its name, and what was given of its settings.
package struct NamedChoice: Sendable {
    package var name: String
    package var settings: JSONObject

    package init(_ name: String, _ settings: KeyValuePairs<String, JSON> = [:]) {
        self.name = name
        self.settings = JSONObject()
        for (key, value) in settings { self.settings[key] = value }
    }

    package init(_ name: String, _ settings: JSONObject) {
        self.name = name
        self.settings = settings
    }
}

/// All that there are of a kind, each a file and a line in the list. `Member` is the metatype of a
/// protocol of `Chosen`.
package struct OpenList<Member: Sendable>: Sendable {
    private let kind: String
    private let members: [Member]
    private let chosen: [any Chosen.Type]

    /// - Parameters:
    ///   - kind: what they are, in words that also are the name of the option that chooses one.
    ///   - asChosen: its argument.
    package init(_ kind: String, _ members: [Member], asChosen: (Member) -> any Chosen.Type) {
        self.kind = kind
        self.members = members
        chosen = members.map(asChosen)
    }

    package var names: [String] { chosen.map { $0.name } }

    /// The declaration of each one's settings as JSON, in the order of the names.
    package var declarations: [String] { chosen.map { $0.settings.described.serialized() } }

    /// The one that is chosen, and its settings, checked.
    package func find(_ choice: NamedChoice) throws(GraftError) -> (member: Member, settings: Settings) {
        guard let index = chosen.firstIndex(where: { $0.name == choice.name }) else {
            throw GraftError(
                .notFound,
                "\(kind) \(JSON.string(choice.name).shortText); this build has \(names.joined(separator: ", "))")
        }
        let settings = try Settings(
            choice.settings, of: chosen[index].settings, owner: "\(kind) \"\(choice.name)\"",
            place: "\(kind)_settings")
        return (members[index], settings)
    }
}
