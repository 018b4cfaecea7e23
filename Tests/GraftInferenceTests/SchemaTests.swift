import GraftFormats
import GraftTensor
import GraftTokenizers
import Testing

@testable import GraftInference

/// Which JSON a schema lets come.
@Suite struct SchemaTests {
    /// Whether a text may come as a whole.
    private func allows(_ constraint: TokenConstraint, _ text: String) throws -> Bool {
        var state = try constraint.start(after: [])
        for byte in text.utf8 where state >= 0 { state = try constraint.next(state, Int32(byte)) }
        return constraint.accepts(state)
    }

    private static let person = """
        {"type": "object", "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 3}, \
        "age": {"type": "integer"}, "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2}}, \
        "required": ["age"], "additionalProperties": false, "title": "Person"}
        """
    private static let tree = """
        {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"left": {"anyOf": \
        [{"$ref": "#/$defs/node"}, {"type": "null"}]}}, "required": ["left"]}}}
        """

    @Test(
        "A schema takes what is valid in its one spelling, and nothing else",
        arguments: [
            (
                person, [#"{"name": "é😀x", "age": 3, "tags": ["a","b"]}"#, #"{"age":-12}"#, #"{"age": 0,"tags": []}"#],
                [
                    #"{}"#, #"{"name": "", "age": 3}"#, #"{"name": "abcd", "age": 3}"#, #"{"age": 03}"#,
                    #"{"age": 3, }"#,
                    #"{"age": 1, "name": "a"}"#, #"{"age": 1, "tags": ["a", "a", "a"]}"#, #"{"age": 1.5}"#,
                    #"{ "age": 1}"#,
                ]
            ),
            (tree, [#"{"left": null}"#, #"{"left": {"left": {"left":null}}}"#], [#"{}"#, "null", #"{"left": {}}"#]),
            (
                #"{"type": ["string", "null"]}"#, [#""""#, "null", #""a\n\u0001\\\"\t""#],
                ["1", #""\u0041""#, #""\/""#, "\"\n\"", #""\u000a""#]
            ),
            (#"{"type": "string", "pattern": "b[\"\\\\]"}"#, [#""ab\"c""#, #""b\\""#], [#""b""#, #""b""""#]),
            (#"{"type": "string", "pattern": "^a|b$"}"#, [#""axx""#, #""xb""#], [#""xa""#, #""bx""#]),
            (#"{"type": "number"}"#, ["0", "-0.5", "12e-3", "1E+05"], ["01", ".5", "1.", "1e999", "+1", "--1"]),
            (#"{"enum": ["x", 1, {"a": [null]}], "type": ["string", "object"]}"#, [#""x""#, #"{"a": [null]}"#], ["1"]),
            (#"{"const": "é\u0001"}"#, [#""é\u0001""#], [#""é""#]),
            (#"{"oneOf": [{"type": "boolean"}, {"allOf": [{"const": 5}]}]}"#, ["true", "false", "5"], ["6"]),
            (
                #"{"type": "array", "minItems": 2, "items": {"type": "null"}}"#, ["[null, null]", "[null,null, null]"],
                ["[]", "[null]", "[null,  null]"]
            ),
            (#"{"additionalProperties": {"type": "integer"}}"#, ["{}", #"{"x": 1, "": 2}"#], [#"{"x": "1"}"#]),
            (#"{"type": "object", "additionalProperties": false}"#, ["{}"], [#"{"a": 1}"#]),
            (
                #"{"required": ["z"], "properties": {"a": true}}"#, [#"{"a": [], "z": {"b": [1]}}"#, #"{"z": 1}"#],
                [#"{"a": 1}"#, #"{"z": 1, "a": 1}"#]
            ),
            ("true", [#"[{"a": [1, "x", [null]], "b": {}}, true]"#], ["[", "[}", "nul"]),
            (#"{"properties": {"a": false}}"#, ["{}"], [#"{"a": 1}"#]),
            (
                ##"{"properties": {"a/b": {"const": 1}, "c": {"$ref": "#/properties/a~1b"}}}"##, [#"{"c": 1}"#],
                [#"{"c": 2}"#]
            ),
        ] as [(String, [String], [String])])
    func schemas(_ schema: String, _ valid: [String], _ others: [String]) throws {
        let constraint = try ConstraintTests.constraint("json_schema", try JSON(parsing: schema, source: "schema"))
        for text in valid { #expect(try allows(constraint, text), "\(text)") }
        for text in others { #expect(try !allows(constraint, text), "\(text)") }
    }

    @Test(
        "Integers of a range are those of the range",
        arguments: [
            (0, 0), (7, 7), (0, 9), (3, 12), (-5, 5), (-120, -13), (99, 1001), (-1, 0), (450, 1549), (-1000, 2000),
        ])
    func ranges(_ low: Int, _ high: Int) throws {
        let schema: JSON = ["type": "integer", "minimum": .integer(low), "exclusiveMaximum": .integer(high + 1)]
        let constraint = try ConstraintTests.constraint("json_schema", schema)
        for number in -2100...2100 where number % 7 == 0 || abs(number - low) < 3 || abs(number - high) < 3 {
            #expect(try allows(constraint, String(number)) == (low...high).contains(number), "\(number)")
        }
        #expect(try !allows(constraint, "-0") && !allows(constraint, "00") && !allows(constraint, "07"))
        let open = try ConstraintTests.constraint("json_schema", ["type": "integer", "minimum": .integer(high)])
        #expect(try allows(open, String(high)) && !allows(open, String(high - 1)) && allows(open, "999999999999999999"))
    }

    @Test("Values within each other go as deep as there are levels, and no deeper")
    func depth() throws {
        func nested(_ count: Int) -> String {
            String(repeating: "[", count: count) + String(repeating: "]", count: count)
        }
        let constraint = try ConstraintTests.constraint("json_schema", true)
        #expect(try allows(constraint, nested(64)) && !allows(constraint, nested(66)))
        // Where there is no other way than deeper, it is not taken.
        let tree = try ConstraintTests.constraint("json_schema", try JSON(parsing: Self.tree, source: "schema"))
        var state = try tree.start(after: [])
        var levels = 0
        while state >= 0, levels < 100 {
            for byte in #"{"left":"#.utf8 where state >= 0 { state = try tree.next(state, Int32(byte)) }
            if state >= 0 {
                #expect(try !ConstraintTests.allowed(tree, state).isEmpty)
                levels += 1
            }
        }
        #expect(levels > 60 && levels < 66, "\(levels)")
    }

    @Test(
        "What a schema cannot ask for is refused by name and place",
        arguments: [
            (#"{"type": "number", "minimum": 3}"#, "constraint: json_schema: \"minimum\" of a number"),
            (#"{"type": "integer", "multipleOf": 3}"#, "constraint: json_schema: \"multipleOf\" is not supported"),
            (#"{"type": "integer", "minimum": 3, "exclusiveMaximum": 3}"#, "no text is as"),
            (#"{"properties": {"a": {"not": {}}}}"#, "json_schema.properties.a: \"not\" is not supported"),
            (#"{"anyOf": [true], "type": "string"}"#, "\"type\" beside \"anyOf\""), ("[]", "expected a schema"),
            (#"{"items": 5}"#, "expected a schema"), (#"{"type": "text"}"#, "one or several of object, array"),
            (##"{"$ref": "#/$defs/x"}"##, "a reference to a place"),
            (##"{"$ref": "other.json#/a"}"##, "to another text"),
            (#"{"type": "string", "pattern": "a(?=b)"}"#, "pattern: the regular expression"),
            (#"{"type": "string", "pattern": "a", "minLength": 2}"#, "in place of {m,n}"),
            (#"{"minItems": 3, "maxItems": 2}"#, "maxItems: expected at least 3"), (#"{"minLength": -1}"#, "0 or more"),
            (#"{"uniqueItems": true}"#, "uniqueItems"), (#"{"enum": []}"#, "no text is as"),
            (#"{"enum": [1], "type": "string"}"#, "no text is as"), (#"{"anyOf": []}"#, "at least one schema"),
            (##"{"$ref": "#"}"##, "no text is as"), (##"{"items": {"$ref": "#"}, "minItems": 1}"##, "no text is as"),
            (#"{"allOf": [{}, {}]}"#, "\"allOf\" of several"), (#"{"required": [1]}"#, "an array of strings"),
            (#"{"required": ["a"], "additionalProperties": false}"#, "no text is as"),
            (#"{"type": "string", "maxLength": 999999999}"#, "nodes"),
            (#"{"items": {"items": {"items": {}, "maxItems": 999}, "maxItems": 99}}"#, ""),
        ])
    func refusals(_ schema: String, _ fragment: String) throws {
        do {
            _ = try ConstraintTests.constraint("json_schema", try JSON(parsing: schema, source: "schema"))
            #expect(fragment == "", "\(schema) is taken")
        } catch let error as GraftError {
            #expect(fragment != "" && error.message.contains(fragment), "\(error.message)")
        }
    }

    @Test("What comes at random is JSON to the end, and more than once each")
    func walks() throws {
        var random = RandomNumbers(seed: 3, stream: "schemas")
        for schema in [Self.person, Self.tree, "true"] {
            let constraint = try ConstraintTests.constraint("json_schema", try JSON(parsing: schema, source: "schema"))
            var texts: Set<String> = []
            for _ in 0..<40 {
                var state = try constraint.start(after: [])
                var text: [UInt8] = []
                while true {
                    let allowed = try ConstraintTests.allowed(constraint, state)
                    let token = try #require(allowed.randomElement(using: &random))
                    let isOver = try constraint.isComplete(state) || text.count > 2000
                    if token == ConstraintTests.tokens.count || isOver {
                        break
                    }
                    text += ConstraintTests.tokens[token]
                    state = try constraint.next(state, Int32(token))
                }
                if text.count > 2000 { continue }
                let string = try #require(String(validating: text, as: UTF8.self))
                #expect(throws: Never.self, "\(string)") { try JSON(parsing: string, source: "text") }
                texts.insert(string)
            }
            #expect(texts.count > 5, "\(schema)")
        }
    }
}
