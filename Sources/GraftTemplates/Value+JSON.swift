import GraftFormats
import GraftTensor

extension Value {
    /// A value of a message.
    init(_ json: JSON) {
        switch json {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .string(let text): self = .string(utf8(text))
        case .array(let elements): self = .list(elements.map { Value($0) })
        case .object(let object):
            self = .dictionary(
                Dictionary(object.map { (key: .string(utf8($0.key)), value: Value($0.value)) }, isUnique: true))
        case .number(let spelling):
            if let value = Int(spelling) {
                self = .integer(value)
            } else if spelling.utf8.contains(where: { $0 == ascii(".") || $0 | 0x20 == ascii("e") }) {
                self = .float(Double(spelling) ?? .infinity)
            } else {
                self = .longInteger(utf8(spelling))
            }
        }
    }
}

/// The filter `tojson` as transformers sets it: Python's `json.dumps`, with text beyond ASCII as it
/// is.
struct JSONWriter {
    var out = Bytes()
    let escapesNonASCII: Bool
    /// What stands before a member once for each level; nil for one line.
    let indent: Bytes?
    let separators: (element: Bytes, key: Bytes)
    let sortsKeys: Bool

    mutating func write(_ value: Value, level: Int = 0) throws(GraftError) {
        // What is indented grows with every level.
        guard out.count <= Renderer.mostText else {
            throw GraftError(.unsupported, "a text of more than \(Renderer.mostText) bytes")
        }
        switch value {
        case .none: out += utf8("null")
        case .bool(let value): out += utf8(value ? "true" : "false")
        case .integer(let value): out += utf8(String(value))
        case .longInteger(let spelling): out += spelling
        case .float(let value): out += utf8(Self.spelling(of: value))
        case .string(let text): write(text)
        case .elements(let elements) where elements.kind == .list || elements.kind == .tuple:
            out.append(ascii("["))
            for (index, element) in elements.values.enumerated() {
                separate(index, level + 1)
                try write(element, level: level + 1)
            }
            close(ascii("]"), isEmpty: elements.values.isEmpty, level)
        case .dictionary(let dictionary):
            var members: [(key: Bytes, value: Value)] = []
            for (key, value) in dictionary.members { members.append((try Self.name(key), value)) }
            if sortsKeys { members.sort { $0.key.lexicographicallyPrecedes($1.key) } }
            out.append(ascii("{"))
            for (index, member) in members.enumerated() {
                separate(index, level + 1)
                write(member.key)
                out += separators.key
                try write(member.value, level: level + 1)
            }
            close(ascii("}"), isEmpty: members.isEmpty, level)
        default: throw unexpected("\(value.kind) cannot be written as JSON")
        }
    }

    private static func spelling(of value: Double) -> String {
        value.isFinite ? PythonFloat.spelling(of: value) : value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
    }

    private static func name(_ key: Value) throws(GraftError) -> Bytes {
        switch key {
        case .string(let text): text
        case .none: utf8("null")
        case .bool(let value): utf8(value ? "true" : "false")
        case .integer(let value): utf8(String(value))
        case .float(let value): utf8(spelling(of: value))
        default: throw unexpected("\(key.kind) cannot be a key in JSON")
        }
    }

    private mutating func separate(_ index: Int, _ level: Int) {
        if index > 0 { out += separators.element }
        breakLine(level)
    }

    private mutating func close(_ bracket: UInt8, isEmpty: Bool, _ level: Int) {
        if !isEmpty { breakLine(level) }
        out.append(bracket)
    }

    private mutating func breakLine(_ level: Int) {
        guard let indent else { return }
        out.append(0x0A)
        for _ in 0..<level { out += indent }
    }

    private mutating func write(_ text: Bytes) {
        out.append(ascii("\""))
        var position = 0
        while position < text.count {
            let (scalar, length) = text.scalar(at: position)
            switch scalar {
            case 0x22: out += utf8("\\\"")
            case 0x5C: out += utf8("\\\\")
            case 0x0A: out += utf8("\\n")
            case 0x0D: out += utf8("\\r")
            case 0x09: out += utf8("\\t")
            case 0x08: out += utf8("\\b")
            case 0x0C: out += utf8("\\f")
            case 0..<0x20: out += utf8("\\u" + hexadecimal(scalar, 4))
            case 0x7F... where escapesNonASCII:
                let units = scalar < 0x10000 ? [scalar] : [0xD7C0 + scalar >> 10, 0xDC00 | scalar & 0x3FF]
                for unit in units { out += utf8("\\u" + hexadecimal(unit, 4)) }
            default: out += text[position..<position + length]
            }
            position += length
        }
        out.append(ascii("\""))
    }
}
