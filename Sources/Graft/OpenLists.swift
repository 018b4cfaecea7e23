import Glibc
import GraftFormats
import GraftTensor

/// Names as C programs see them.
struct LentNames: Sendable {
    private let texts: [CText]

    init(_ names: [String]) { texts = names.map(CText.init) }

    var count: Int32 { Int32(texts.count) }

    /// nil past the end.
    subscript(index: Int32) -> UnsafePointer<CChar>? {
        texts.indices.contains(Int(index)) ? texts[Int(index)].pointer : nil
    }
}

/// An open list as C programs see it: names, and of each the declaration of its settings.
struct LentList: Sendable {
    let lent: LentNames
    private let names: [String]
    private let declarations: [CText]

    init<Member>(_ list: OpenList<Member>) {
        names = list.names
        lent = LentNames(names)
        declarations = list.declarations.map(CText.init)
    }

    /// nil for an unknown name.
    func settings(_ name: UnsafePointer<CChar>?) -> UnsafePointer<CChar>? {
        guard let name else { return nil }
        return undisturbed {
            names.firstIndex { $0.withCString { strcmp($0, name) } == 0 }.flatMap { declarations[$0].pointer }
        }
    }
}

/// A choice from a caller: a name, and settings as JSON; NULL for those of the default.
func choice(
    _ name: UnsafePointer<CChar>?, _ settings: UnsafePointer<CChar>?, _ kind: String, by initial: NamedChoice
) throws(GraftError) -> NamedChoice {
    var choice = initial
    if let name = try optionalText(name, kind) { choice = NamedChoice(name) }
    if let settings = try settingsObject(settings, kind + "_settings") { choice.settings = settings }
    return choice
}

/// Settings from a caller: JSON; nil for NULL.
func settingsObject(_ json: UnsafePointer<CChar>?, _ name: String) throws(GraftError) -> JSONObject? {
    guard let json = try optionalText(json, name) else { return nil }
    return try ofCaller { () throws(GraftError) in try JSON(parsing: json, source: name).requireObject(in: name) }
}
