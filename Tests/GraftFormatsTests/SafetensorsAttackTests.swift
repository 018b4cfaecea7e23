import GraftFormats
import GraftTensor
import Testing

/// Headers that break one rule of the format each, and the message that each must give.
private struct Attack: CustomTestStringConvertible {
    let what: String
    let header: String
    var dataCount = 0
    /// What the first eight bytes say; nil for the truth.
    var claimedLength: UInt64?
    let message: String

    var testDescription: String { what }

    var file: [UInt8] {
        let text = Array(header.utf8)
        let length = (claimedLength ?? UInt64(text.count)).littleEndian
        return withUnsafeBytes(of: length) { Array($0) } + text + [UInt8](repeating: 1, count: dataCount)
    }

    /// A file of one tensor "a" with the given description.
    static func tensor(_ what: String, _ description: String, dataCount: Int = 4, _ message: String) -> Attack {
        Attack(what: what, header: "{\"a\":{\(description)}}", dataCount: dataCount, message: message)
    }
}

private let one = #""dtype":"F32","shape":[1],"data_offsets":[0,4]"#

private let attacks: [Attack] = [
    Attack(
        what: "header length of 2^64 - 1", header: "{}", claimedLength: .max,
        message: "t: the header's length is 18446744073709551615, and at most 100000000 is allowed"),
    Attack(
        what: "header of 100,000,001 bytes", header: "{}", claimedLength: 100_000_001,
        message: "t: the header's length is 100000001, and at most 100000000 is allowed"),
    Attack(
        what: "header past the end", header: "{}", claimedLength: 3,
        message: "t: the header's length is 3, but only 2 bytes follow: the file is cut"),
    Attack(what: "no header", header: "", message: "t: the header does not start with '{'"),
    Attack(what: "space before the header", header: " {}", message: "t: the header does not start with '{'"),
    Attack(what: "array for a header", header: "[]", message: "t: the header does not start with '{'"),
    Attack(
        what: "header cut inside", header: "{\"a\":{}}", dataCount: 0, claimedLength: 5,
        message: "t (header), line 1, column 6: expected an object, found the end of the file"),
    Attack(
        what: "junk after the header", header: "{}  x",
        message: "t (header), line 1, column 5: expected the end of the file, found 'x'"),
    Attack(
        what: "NUL after the header", header: "{}\0",
        message: "t (header), line 1, column 3: expected the end of the file, found byte 0x00"),
    Attack(
        what: "deep nesting", header: "{\"__metadata__\":{\"a\":" + String(repeating: "[", count: 100_000),
        message: "t (header), line 1, column 22: expected a string: __metadata__ holds nothing else, found '['"),
    .tensor(
        "deep nesting in a shape", "\"shape\":" + String(repeating: "[", count: 100_000),
        "t (header), line 1, column 16: expected an integer, found '['"),
    Attack(
        what: "number in the metadata", header: "{\"__metadata__\":{\"a\":1}}",
        message: "t (header), line 1, column 22: expected a string: __metadata__ holds nothing else, found '1'"),
    Attack(
        what: "metadata twice", header: "{\"__metadata__\":{},\"__metadata__\":{}}",
        message: "t (header), line 1, column 35: __metadata__ is there already"),
    Attack(
        what: "equal keys in the metadata", header: "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}",
        message: "t (header), line 1, column 34: __metadata__ holds the key \"a\" twice"),
    Attack(
        what: "equal names", header: "{\"a\":{\(one)},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
        dataCount: 8, message: "t: the tensor \"a\" is there twice"),
    Attack(
        what: "equal names, one escaped", header: "{\"a\":{\(one)},\"\\u0061\":{\(one)}}", dataCount: 4,
        message: "t: the tensor \"a\" is there twice"),
    Attack(
        what: "overlap", header: "{\"a\":{\(one)},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}}",
        dataCount: 6,
        message: "t: the bytes of the tensor \"b\" start at 2 and overlap those before, which end at 4"),
    Attack(
        what: "same bytes twice", header: "{\"a\":{\(one)},\"b\":{\(one)}}", dataCount: 4,
        message: "t: the bytes of the tensor \"b\" start at 0 and overlap those before, which end at 4"),
    Attack(
        what: "hole", header: "{\"a\":{\(one)},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[6,10]}}",
        dataCount: 10, message: "t: 2 bytes before the tensor \"b\" belong to no tensor"),
    Attack(
        what: "hole at the start", header: "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[1,5]}}",
        dataCount: 5,
        message: "t: 1 bytes before the tensor \"a\" belong to no tensor"),
    Attack(
        what: "data beyond the tensors", header: "{\"a\":{\(one)}}", dataCount: 9,
        message: "t: 5 bytes at the end of the file belong to no tensor"),
    Attack(
        what: "data without tensors", header: "{}", dataCount: 1,
        message: "t: 1 bytes at the end of the file belong to no tensor"),
    Attack(
        what: "empty tensor inside another",
        header: "{\"a\":{\(one)},\"b\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[2,2]}}", dataCount: 4,
        message: "t: the bytes of the tensor \"b\" start at 2 and overlap those before, which end at 4"),
    .tensor(
        "offsets past the end", #""dtype":"F32","shape":[2],"data_offsets":[0,8]"#,
        "t: tensor \"a\": data_offsets: the end 8 is beyond the 4 bytes of data that the file has"),
    .tensor(
        "offsets near 2^63", #""dtype":"F32","shape":[1],"data_offsets":[9223372036854775803,9223372036854775807]"#,
        "t: tensor \"a\": data_offsets: the end 9223372036854775807 is beyond the 4 bytes of data that the file has"),
    .tensor(
        "offsets in reverse", #""dtype":"F32","shape":[1],"data_offsets":[4,0]"#,
        "t: tensor \"a\": data_offsets: the end 0 is before the start 4"),
    .tensor(
        "negative offset", #""dtype":"F32","shape":[1],"data_offsets":[-4,0]"#,
        "t: tensor \"a\": data_offsets: -4 is negative"),
    .tensor(
        "fraction for an offset", #""dtype":"F32","shape":[1],"data_offsets":[0.0,4]"#,
        "t (header), line 1, column 49: expected an integer of 64 bits, found the number 0.0"),
    .tensor(
        "exponent for an offset", #""dtype":"F32","shape":[1],"data_offsets":[0,4e0]"#,
        "t (header), line 1, column 51: expected an integer of 64 bits, found the number 4e0"),
    .tensor(
        "text for an offset", #""dtype":"F32","shape":[1],"data_offsets":["0","4"]"#,
        "t (header), line 1, column 49: expected an integer, found a string"),
    .tensor(
        "one offset", #""dtype":"F32","shape":[1],"data_offsets":[4]"#,
        "t: tensor \"a\": data_offsets: expected 2 numbers, found 1"),
    .tensor(
        "three offsets", #""dtype":"F32","shape":[1],"data_offsets":[0,4,8]"#,
        "t: tensor \"a\": data_offsets: more than 2 numbers"),
    .tensor(
        "offset beyond 64 bits", #""dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551620]"#,
        "t (header), line 1, column 51: expected an integer of 64 bits, found the number 18446744073709551620"),
    .tensor(
        "shape larger than its bytes", #""dtype":"F32","shape":[2],"data_offsets":[0,4]"#,
        "t: tensor \"a\": F32 [2] takes 8 bytes, but data_offsets hold 4"),
    .tensor(
        "shape smaller than its bytes", #""dtype":"F16","shape":[1],"data_offsets":[0,4]"#,
        "t: tensor \"a\": F16 [1] takes 2 bytes, but data_offsets hold 4"),
    .tensor(
        "shape whose product wraps to its bytes",
        #""dtype":"U8","shape":[4294967296,4294967296,4],"data_offsets":[0,4]"#,
        "t: tensor \"a\": U8 [4294967296, 4294967296, 4] is no whole number of bytes below 2^60"),
    .tensor(
        "shape that overflows before its zero",
        #""dtype":"U8","shape":[9223372036854775807,9223372036854775807,0],"data_offsets":[0,0]"#, dataCount: 0,
        "t: tensor \"a\": U8 [9223372036854775807, 9223372036854775807, 0] is no whole number of bytes below 2^60"),
    .tensor(
        "negative size", #""dtype":"F32","shape":[-1],"data_offsets":[0,4]"#,
        "t: tensor \"a\": shape: -1 is negative"),
    .tensor(
        "two negative sizes", #""dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]"#,
        "t: tensor \"a\": shape: -1 is negative"),
    .tensor(
        "null for a size", #""dtype":"F32","shape":[null],"data_offsets":[0,4]"#,
        "t (header), line 1, column 30: expected an integer, found 'n'"),
    .tensor(
        "text for a shape", #""dtype":"F32","shape":"1","data_offsets":[0,4]"#,
        "t (header), line 1, column 29: expected an array, found a string"),
    .tensor(
        "65 sizes",
        "\"dtype\":\"F32\",\"shape\":[" + Array(repeating: "1", count: 65).joined(separator: ",")
            + "],\"data_offsets\":[0,4]", "t: tensor \"a\": shape: more than 64 numbers"),
    .tensor(
        "half a byte", #""dtype":"F4","shape":[3],"data_offsets":[0,4]"#,
        "t: tensor \"a\": F4 [3] is no whole number of bytes below 2^60"),
    .tensor(
        "unknown dtype", #""dtype":"F128","shape":[1],"data_offsets":[0,4]"#,
        "t: tensor \"a\": unknown dtype \"F128\""),
    .tensor(
        "dtype in small letters", #""dtype":"f32","shape":[1],"data_offsets":[0,4]"#,
        "t: tensor \"a\": unknown dtype \"f32\""),
    .tensor("no dtype", #""shape":[1],"data_offsets":[0,4]"#, "t: tensor \"a\": dtype is missing"),
    .tensor("no shape", #""dtype":"F32","data_offsets":[0,4]"#, "t: tensor \"a\": shape is missing"),
    .tensor("no offsets", #""dtype":"F32","shape":[1]"#, "t: tensor \"a\": data_offsets is missing"),
    .tensor("empty description", "", "t: tensor \"a\": dtype is missing"),
    .tensor("dtype twice", one + #","dtype":"F32""#, "t: tensor \"a\": dtype is there twice"),
    .tensor("unknown key", one + #","extra":1"#, "t: tensor \"a\": unknown key \"extra\""),
    Attack(
        what: "list for a description", header: "{\"a\":[]}",
        message: "t (header), line 1, column 6: expected an object, found '['"),
    Attack(
        what: "half of a surrogate pair in a name", header: "{\"\\ud800\":{\(one)}}", dataCount: 4,
        message: "t (header), line 1, column 3: the first half of a surrogate pair without the second"),
]

@Suite("Attacks on safetensors")
struct SafetensorsAttackTests {
    @Test("A file that breaks a rule is refused with that rule's message", arguments: attacks)
    fileprivate func refused(attack: Attack) throws {
        let error = try failure(of: { try attack.file.withUnsafeBytes { try SafetensorsHeader($0, source: "t") } })
        #expect(error.message == attack.message)
        #expect(
            error.code
                == (attack.what.contains("dtype") && attack.message.contains("unknown") ? .unsupported : .corruptFile))
    }

    @Test("The same file without a broken rule is read")
    func accepted() throws {
        let file = Attack.tensor("", one, "").file
        let header = try file.withUnsafeBytes { try SafetensorsHeader($0, source: "t") }
        #expect(header["a"]?.shape == [1])
    }

    @Test("Invalid UTF-8 in the header is refused")
    func invalidUTF8() throws {
        let head = Array("{\"".utf8) + [0xC3, 0x28] + Array("\":{\(one)}}".utf8)
        let file = [UInt8(head.count), 0, 0, 0, 0, 0, 0, 0] + head + [1, 1, 1, 1]
        let error = try failure(of: { try file.withUnsafeBytes { try SafetensorsHeader($0, source: "t") } })
        #expect(error.message == "t (header), line 1, column 3: invalid UTF-8: byte 0xC3")
    }

    @Test("Files shorter than the header's length are refused", arguments: 0..<8)
    func tooShort(count: Int) throws {
        let file = [UInt8](repeating: 0, count: count)
        let error = try failure(of: { try file.withUnsafeBytes { try SafetensorsHeader($0, source: "t") } })
        #expect(error.message == "t: expected 8 bytes of header length, found a file of \(count) bytes")
    }

    @Test("A header with 50,000 tensors is read, in the order of their bytes")
    func manyTensors() throws {
        var header = "{"
        for number in 0..<50_000 {
            header += "\(number == 0 ? "" : ",")\"tensor.\(number)\":{\"dtype\":\"U8\",\"shape\":[1],"
            header += "\"data_offsets\":[\(49_999 - number),\(50_000 - number)]}"
        }
        header += "}"
        let file = Attack(what: "", header: header, dataCount: 50_000, message: "").file
        let parsed = try file.withUnsafeBytes { try SafetensorsHeader($0, source: "t") }
        #expect(parsed.entries.count == 50_000)
        #expect(parsed.entries.first?.name == "tensor.49999")
        #expect(parsed["tensor.77"]?.range.count == 1)
    }
}
