import GraftFormats
import GraftTensor
import GraftTokenizers

/// What a constraint's text asks for: a JSON object of one member, whose name is the kind.
///
/// - `{"choices": ["yes", "no"]}`: one of these texts
/// - `{"regex": "[0-9]{4}"}`: a text that an expression matches as a whole
/// - `{"json_schema": {"type": "object"}}`: JSON that is valid for a schema
enum Grammar {
    private typealias Make = @Sendable (JSONObject, String) throws(GraftError) -> [TextPattern]

    private static let kinds: [(name: String, make: Make)] = [
        (
            "choices",
            { (settings, name) throws(GraftError) in
                let choices = try settings.strings(name)
                guard !choices.isEmpty else { throw settings.unexpected(name, expected: "at least one text") }
                return [.choice(choices.map(TextPattern.text))]
            }
        ),
        (
            "regex",
            { (settings, name) throws(GraftError) in
                [try ExpressionParser.parse(try settings.string(name)) { .characters($0) }]
            }
        ),
        (
            "json_schema",
            { (settings, name) throws(GraftError) in try SchemaGrammar.rules(settings[name] ?? .null) }
        ),
    ]

    /// The rules of a grammar.
    static func rules(_ constraint: String) throws(GraftError) -> [TextPattern] {
        try ofCaller { () throws(GraftError) in
            let settings = try JSON(parsing: constraint, source: "constraint").requireObject(in: "constraint")
            guard settings.count == 1, let kind = kinds.first(where: { $0.name == settings[0].key }) else {
                let names = kinds.map { "\"\($0.name)\"" }.joined(separator: ", ")
                let found = settings.keys.prefix(4).map { JSON.string($0).shortText }.joined(separator: ", ")
                throw GraftError(
                    .invalidArgument,
                    "constraint: expected one member, of \(names); found \(found.isEmpty ? "none" : found)")
            }
            return try kind.make(settings, kind.name)
        }
    }
}
