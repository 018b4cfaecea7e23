import GraftTensor

/// The settings of something that was chosen by name: those that were given, checked, and the
/// defaults of all others.
package struct Settings: Sendable, Equatable {
    /// Every declared setting, in the order of the declaration.
    package private(set) var values = JSONObject()

    /// - Parameters:
    ///   - owner: whose settings these are, for messages, such as `optimizer "sgd"`.
    ///   - place: what holds them, for messages.
    package init(
        _ given: JSONObject, of declaration: [Setting], owner: String, place: String
    ) throws(GraftError) {
        for (key, _) in given where !declaration.contains(where: { $0.key == key }) {
            let known = declaration.map(\.key).joined(separator: ", ")
            throw GraftError(
                .invalidArgument,
                "\(place): \(owner) has no setting \(JSON.string(key).shortText); "
                    + (known.isEmpty ? "it has none" : "it has \(known)"))
        }
        for setting in declaration {
            // As everywhere in settings, null stands for the default.
            guard let value = given[setting.key], !value.isNull else {
                values[setting.key] = setting.initial
                continue
            }
            guard let accepted = setting.accepted(value) else {
                throw GraftError(
                    .invalidArgument,
                    "\(place): \(setting.key) of \(owner) must be \(setting.expected), found \(value.briefText)")
            }
            values[setting.key] = accepted
        }
    }

    package func number(_ setting: Setting) -> Double { value(setting).doubleValue ?? .nan }

    package func count(_ setting: Setting) -> Int { value(setting).intValue ?? 0 }

    package func flag(_ setting: Setting) -> Bool { value(setting).boolValue ?? false }

    package func choice(_ setting: Setting) -> String { value(setting).stringValue ?? "" }

    package func counts(_ setting: Setting) -> [Int] { (value(setting).arrayValue ?? []).compactMap(\.intValue) }

    /// So many, where the setting has one for all of them or one for each.
    package func numbers(_ setting: Setting, count: Int, of what: String) throws(GraftError) -> [Double] {
        guard let items = value(setting).arrayValue else {
            return [Double](repeating: number(setting), count: count)
        }
        guard items.count == count else {
            throw GraftError(
                .invalidArgument, "\(setting.key): expected one for each of the \(count) \(what), found \(items.count)")
        }
        return items.map { $0.doubleValue ?? .nan }
    }

    private func value(_ setting: Setting) -> JSON { values[setting.key] ?? setting.initial }
}
