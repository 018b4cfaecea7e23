import GraftFormats
import Testing

/// A case of a folder of goldens, with what its list says of it.
package struct GoldenCase: Sendable, CustomTestStringConvertible {
    package let folder: String
    package let settings: JSON

    package var testDescription: String { "\(folder)/\(settings["name"]?.stringValue ?? "")" }

    /// Those that a list in each of some folders has. None where there is no list: each suite says
    /// how many it expects.
    package static func all(in folders: [String], _ list: String) -> [GoldenCase] {
        folders.flatMap { folder in
            ((try? JSON(contentsOf: Goldens.path("\(folder)/\(list)")))?.arrayValue ?? []).map {
                GoldenCase(folder: folder, settings: $0)
            }
        }
    }
}
