import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@Suite("Reading JSON")
struct JSONReadingTests {
    private func parse(_ text: String) throws -> JSON {
        try JSON(parsing: text, source: "t.json")
    }

    /// Whether the piecewise reader passes over the document.
    private static func passes(_ document: [UInt8]) -> Bool {
        document.withUnsafeBytes { bytes in
            var reader = JSONReader(bytes, source: "t")
            do {
                try reader.skipValue()
                try reader.finish()
                return true
            } catch {
                return false
            }
        }
    }

    @Test("Two thousand damaged documents are read or refused as Python reads or refuses them")
    func verdicts() throws {
        var accepted = 0
        for (verdict, hexadecimal) in try pairs(inGolden: "verdicts.txt") {
            let digits = Array(hexadecimal)
            let document = try stride(from: 0, to: digits.count, by: 2).map { start in
                try #require(UInt8(String(digits[start..<start + 2]), radix: 16))
            }
            let tree = try? JSON(parsing: document, source: "t")
            let passes = Self.passes(document)
            let shown = String(decoding: document, as: UTF8.self)
            #expect((tree != nil) == (verdict == "1"), "\(shown)")
            #expect(passes || tree == nil, "the reader refuses what the tree takes: \(shown)")
            accepted += verdict == "1" ? 1 : 0
        }
        #expect(accepted > 100)
    }

    @Test("Values keep order, spelling and exact text")
    func values() throws {
        let value = try parse(#"{"b": [1, -0.50e+3, true, null], "a\u00e9\ud83d\ude00\n\/": "x\u0000y", "c": {}}"#)
        #expect(
            value == [
                "b": [1, .number("-0.50e+3"), true, nil], "aé😀\n/": "x\0y", "c": [:],
            ])
        #expect(value.objectValue?.keys == ["b", "aé😀\n/", "c"])
    }

    @Test("Keys that are canonically equivalent but not equal stand side by side")
    func exactKeys() throws {
        let value = try parse("{\"\u{E9}\": 1, \"e\u{301}\": 2}")
        #expect(value["\u{E9}"] == 1)
        #expect(value["e\u{301}"] == 2)
        #expect(JSON.string("\u{E9}") != .string("e\u{301}"))
    }

    @Test(
        "Errors say line, column, what was expected and what was found",
        arguments: [
            ("", "line 1, column 1: expected a value, found the end of the file"),
            ("{", "line 1, column 2: expected a key in double quotes, found the end of the file"),
            ("{\n  \"é\": 1,\n}", "line 3, column 1: a comma before '}'"),
            ("{\"é\": 1 2}", "line 1, column 9: expected ',' or '}', found '2'"),
            ("[1,\n\n 2\n  3]", "line 4, column 3: expected ',' or ']', found '3'"),
            ("[1,]", "line 1, column 4: a comma before ']'"),
            ("[,1]", "line 1, column 2: expected a value, found ','"),
            ("{\"a\" 1}", "line 1, column 6: expected ':', found '1'"),
            ("{a: 1}", "line 1, column 2: expected a key in double quotes, found 'a'"),
            ("[01]", "line 1, column 3: a number must not start with 0"),
            ("[-]", "line 1, column 3: expected a digit, found ']'"),
            ("[1.]", "line 1, column 4: expected a digit, found ']'"),
            ("[1e]", "line 1, column 4: expected a digit, found ']'"),
            ("[+1]", "line 1, column 2: expected a value, found '+'"),
            ("[NaN]", "line 1, column 2: NaN and Infinity are not JSON"),
            ("[-Infinity]", "line 1, column 3: expected a digit, found 'I'"),
            ("[tru]", "line 1, column 2: expected true"),
            ("\"a", "line 1, column 1: this string does not end"),
            ("\"a\tb\"", "line 1, column 3: a control character inside a string must be escaped"),
            ("\"\\x\"", "line 1, column 2: no such escape in JSON"),
            ("\"\\u12g4\"", "line 1, column 4: \\u needs four hexadecimal digits"),
            ("\"\\ud800x\"", "line 1, column 2: the first half of a surrogate pair without the second"),
            ("\"\\udc00\"", "line 1, column 2: the second half of a surrogate pair without the first"),
            ("[1] x", "line 1, column 5: expected the end of the file, found 'x'"),
            ("\u{FEFF}{}", "line 1, column 1: expected a value, found a byte order mark"),
            ("{\"a\": 1,\n \"b\": 2, \"a\": 3}", "line 2, column 8: the key \"a\" is in this object already"),
        ])
    func positions(document: String, message: String) throws {
        let error = try failure(of: { try parse(document) })
        #expect(error == GraftError(.corruptFile, "t.json, " + message))
    }

    @Test("Equal keys are found among many members too")
    func equalKeysAmongMany() throws {
        let members = (0..<1000).map { "\"key\($0)\": \($0)" }
        let value = try parse("{" + members.joined(separator: ",\n") + "}")
        #expect(try value.int("key999") == 999)
        #expect(value["key1000"] == nil)
        let error = try failure(of: { try parse("{" + (members + ["\"key7\": 0"]).joined(separator: ",\n") + "}") })
        #expect(error.message.hasPrefix("t.json, line 1000, column "), "\(error.message)")
        #expect(error.message.hasSuffix("the key \"key7\" is in this object already"), "\(error.message)")
    }

    @Test("Invalid UTF-8 is refused inside strings, in any form")
    func invalidUTF8() throws {
        let sequences: [[UInt8]] = [
            [0xFF], [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
            [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98],
            [0xE2, 0x28, 0xA1],
        ]
        for sequence in sequences {
            let error = try failure(of: {
                try JSON(parsing: Array("\"a".utf8) + sequence + Array("\"".utf8), source: "t")
            })
            #expect(error.message.hasPrefix("t, line 1, column 3: invalid UTF-8"), "\(sequence) \(error.message)")
        }
    }

    @Test("128 levels are read, and a million are refused without using up the stack")
    func depth() throws {
        let deepest = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
        #expect(try parse(deepest).arrayValue != nil)
        for opening in ["[", "{\"a\":"] {
            let error = try failure(of: { try parse(String(repeating: opening, count: 1_000_000)) })
            #expect(error.message.hasSuffix("nested deeper than 128 levels"))
        }
    }

    @Test("A document cut at any byte is refused")
    func truncation() throws {
        let document = try bytes(of: Repository.goldens + "configuration-unicode.json")
        for length in 0..<document.count {
            #expect(throws: GraftError.self, "\(length)") {
                try JSON(parsing: Array(document[..<length]), source: "t")
            }
        }
        #expect(try JSON(parsing: document, source: "t").int("r") == 8)
    }

    @Test("Integers are exact to the ends of 64 bits, and numbers beyond are refused, not rounded")
    func numbers() throws {
        let value = try parse(
            #"{"max": 9223372036854775807, "min": -9223372036854775808, "over": 9223372036854775808, "#
                + #""under": -9223372036854775809, "huge": 1e999, "float": 1.5, "whole": 12.0, "third": 0.1, "minus": -0}"#
        )
        #expect(try value.int("max") == .max)
        #expect(try value.int("min") == .min)
        #expect(try value.int("minus") == 0)
        #expect(try value.double("third") == 0.1)
        #expect(try value.double("over") == 9223372036854775808)
        #expect(value["over"] == .number("9223372036854775808"))
        for key in ["over", "under", "float", "whole", "huge"] {
            #expect(throws: GraftError.self, "\(key)") { try value.int(key) }
        }
        #expect(
            try failure(of: { try value.double("huge") }).message
                == "t.json: huge: expected a number, found the number 1e999")
    }

    @Test("Typed access names the file, the path of keys, what was expected and what was found")
    func access() throws {
        let value = try parse(
            #"{"a": {"b": [0, {"c": "text"}], "s": ["x", "y"], "n": null, "mixed": ["x", 1]}, "t": true}"#)
        let inner = try value.object("a")
        #expect(try inner.strings("s") == ["x", "y"])
        #expect(try inner.optionalInt("n") == nil)
        #expect(try inner.optionalString("absent") == nil)
        #expect(try value.bool("t"))
        let element = try inner.array("b")[1]
        #expect(try element.string("c") == "text")
        let messages = [
            try failure(of: { try element.int("c") }).message:
                "t.json: a.b[1].c: expected an integer, found the string \"text\"",
            try failure(of: { try inner.int("n") }).message: "t.json: a.n: expected an integer, found null",
            try failure(of: { try inner.double("absent") }).message:
                "t.json: a.absent: expected a number, it is missing",
            try failure(of: { try inner.strings("mixed") }).message:
                "t.json: a.mixed: expected an array of strings, found an array",
            try failure(of: { try value.optionalObject("t") }).message: "t.json: t: expected an object, found true",
            try failure(of: { try JSON.array([]).int("x") }).message: "expected a JSON object, found an array",
        ]
        for (found, expected) in messages { #expect(found == expected) }
    }

    @Test("The piecewise reader gives keys and values without building a tree")
    func reader() throws {
        let document =
            #"{"skip": [{"x": [1, "]"]}, null], "vocab": {"a": 1, "\u00e9\"": 2, "b": 3}, "f": -1.5e1, "t": false}"#
        var vocabulary: [String: Int] = [:]
        try Array(document.utf8).withUnsafeBytes { bytes in
            var reader = JSONReader(bytes, source: "t")
            try reader.beginObject()
            while let key = try reader.nextKey() {
                switch key {
                case "vocab":
                    try reader.beginObject()
                    while let token = try reader.nextKey() {
                        #expect(token.isPlain == (token.bytes.count == 1))
                        vocabulary[token.string] = try reader.readInt()
                    }
                case "f": #expect(try reader.readDouble() == -15)
                case "t": #expect(try reader.readBool() == false)
                default: try reader.skipValue()
                }
            }
            try reader.finish()
        }
        #expect(vocabulary == ["a": 1, "é\"": 2, "b": 3])
    }

    @Test("The reader refuses a value of another type at its place")
    func readerTypes() throws {
        func message(_ text: String, _ read: (inout JSONReader) throws -> Void) throws -> String {
            try Array(text.utf8).withUnsafeBytes { bytes in
                var reader = JSONReader(bytes, source: "t")
                return try failure(of: { try read(&reader) }).message
            }
        }
        #expect(try message(" []") { _ = try $0.readInt() } == "t, line 1, column 2: expected an integer, found '['")
        #expect(
            try message("1.5") { _ = try $0.readInt() }
                == "t, line 1, column 1: expected an integer of 64 bits, found the number 1.5")
        #expect(try message("1") { _ = try $0.readString() } == "t, line 1, column 1: expected a string, found '1'")
        #expect(try message("1") { _ = try $0.readBool() } == "t, line 1, column 1: expected true or false, found '1'")
        #expect(
            try message("\"\"") { _ = try $0.readDouble() } == "t, line 1, column 1: expected a number, found a string")
        #expect(
            try message("1e400") { _ = try $0.readDouble() }
                == "t, line 1, column 1: the number 1e400 is beyond what a 64-bit float holds")
        #expect(try message("[1") { try $0.beginObject() } == "t, line 1, column 1: expected an object, found '['")
    }

    @Test("Real tokenizers and configurations read")
    func realFiles() throws {
        let tokenizer = try JSON(contentsOf: TestData.path("tokenizers/gpt2/tokenizer.json"))
        #expect(try tokenizer.object("model").object("vocab").count == 50257)
        #expect(try tokenizer.object("model").object("vocab").int("<|endoftext|>") == 50256)
        let config = try JSON(contentsOf: TestData.path("models/me5-small-zh-en-pruned/config.json"))
        #expect(try config.int("hidden_size") == 384)
    }
}
