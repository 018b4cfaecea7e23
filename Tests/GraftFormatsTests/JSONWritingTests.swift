import GraftFormats
import Testing

@Suite("Writing JSON")
struct JSONWritingTests {
    private func golden(_ name: String) throws -> (text: String, value: JSON) {
        let path = Repository.goldens + name
        return (try text(of: path), try JSON(contentsOf: path))
    }

    @Test("Text equals json.dumps of Python to the byte, whatever its layout")
    func layouts() throws {
        let sorted = try golden("configuration.json")
        let plain = try golden("configuration-plain.json")
        let unicode = try golden("configuration-unicode.json")
        let compact = try golden("configuration-compact.json")
        for value in [plain.value, unicode.value, compact.value] {
            #expect(value == plain.value)
            #expect(value.serialized(indent: 2, sortedKeys: true) == sorted.text)
            #expect(value.serialized(JSON.Style(indent: 2, sortsKeys: true)) == sorted.text)
            #expect(value.serialized() == plain.text)
            #expect(value.serialized(JSON.Style(indent: 4, escapesNonASCII: false)) == unicode.text)
            #expect(value.serialized(JSON.Style(escapesNonASCII: false, isCompact: true)) == compact.text)
        }
        #expect(sorted.value == plain.value, "objects are equal in any order of members")
    }

    @Test("A configuration made in memory is written as Python writes it")
    func made() {
        let value: JSON = [
            "r": 8, "lora_dropout": 0.1, "target_modules": ["query", "value"], "bias": "none", "use_rslora": false,
            "revision": nil, "rank_pattern": [:], "layers": [], "rate": 1e-05,
        ]
        #expect(
            value.serialized(JSON.Style(indent: 2, sortsKeys: true)) == """
                {
                  "bias": "none",
                  "layers": [],
                  "lora_dropout": 0.1,
                  "r": 8,
                  "rank_pattern": {},
                  "rate": 1e-05,
                  "revision": null,
                  "target_modules": [
                    "query",
                    "value"
                  ],
                  "use_rslora": false
                }
                """)
    }

    @Test("Floats are spelled as Python's repr spells them")
    func floats() throws {
        for (bits, expected) in try pairs(inGolden: "floats.txt") {
            let value = Double(bitPattern: try #require(UInt64(bits, radix: 16)))
            #expect(PythonFloat.spelling(of: value) == expected)
            #expect(JSON.double(value) == .number(expected))
            #expect(Double(expected)?.bitPattern == value.bitPattern)
        }
        #expect(JSON.double(.nan) == nil)
        #expect(JSON.double(-.infinity) == nil)
    }

    @Test("Every scalar survives writing and reading, escaped or not")
    func scalars() throws {
        var text = ""
        for value in UInt32(0)...0x10FFFF where value < 0x3000 || value % 97 == 0 {
            if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
        }
        for style in [JSON.Style(), JSON.Style(escapesNonASCII: false)] {
            let written = JSON.string(text).serialized(style)
            #expect(try JSON(parsing: written, source: "t") == .string(text))
        }
        #expect(JSON.string(text).serialized().utf8.allSatisfy { (0x20...0x7E).contains($0) })
    }

    @Test("Members are replaced in place, added at the end and removed, few or many")
    func members() {
        for count in [3, 8, 9, 10, 17, 100] {
            var object = JSONObject()
            for number in 0..<count { object["k\(number)"] = .integer(number) }
            object["k1"] = "changed"
            object["k0"] = nil
            object["absent"] = nil
            object["last"] = true
            #expect(object.keys == (1..<count).map { "k\($0)" } + ["last"])
            #expect(object["k1"] == "changed")
            #expect(object["k\(count - 1)"] == .integer(count - 1))
            #expect(object["k0"] == nil)
            #expect(object["last"] == true)
        }
    }
}
