import Glibc
import GraftFormats
import GraftTensor

/// An open list as C programs see it: names, and of each the declaration of its settings.
struct LentList: Sendable {
    private let names: [String]
    private let nameTexts: [CText]
    private let declarations: [CText]

    init<Member>(_ list: OpenList<Member>) {
        names = list.names
        nameTexts = names.map(CText.init)
        declarations = list.declarations.map(CText.init)
    }

    var count: Int32 { Int32(names.count) }

    /// nil past the end.
    func name(_ index: Int32) -> UnsafePointer<CChar>? {
        nameTexts.indices.contains(Int(index)) ? nameTexts[Int(index)].pointer : nil
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
    guard let settings = try optionalText(settings, kind + "_settings") else { return choice }
    let place = kind + "_settings"
    do throws(GraftError) {
        choice.settings = try JSON(parsing: settings, source: place).requireObject()
    } catch  where error.code == .corruptFile {  // the caller's text, and no file
        throw GraftError(.invalidArgument, error.message)
    }
    return choice
}
