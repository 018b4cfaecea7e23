import GraftFormats
import GraftTensor

/// Python's `str` and `repr`.
extension Value {
    /// What `{{ … }}` writes.
    func written() throws(GraftError) -> Bytes {
        if case .string(let text) = self { return text }
        var out = Bytes()
        try write(to: &out, quotes: false)
        return out
    }

    func quoted() throws(GraftError) -> Bytes {
        var out = Bytes()
        try write(to: &out, quotes: true)
        return out
    }

    private func write(to out: inout Bytes, quotes: Bool) throws(GraftError) {
        switch self {
        case .undefined: if quotes { out += utf8("Undefined") }
        case .none: out += utf8("None")
        case .bool(let value): out += utf8(value ? "True" : "False")
        case .integer(let value): out += utf8(String(value))
        case .longInteger(let spelling): out += spelling
        case .float(let value): out += utf8(PythonFloat.spelling(of: value))
        case .string(let text):
            if quotes { Self.writeQuoted(text, to: &out) } else { out += text }
        case .elements(let elements): try Self.write(elements, to: &out)
        case .dictionary(let dictionary):
            out.append(ascii("{"))
            for (index, member) in dictionary.members.enumerated() {
                if index > 0 { out += utf8(", ") }
                try member.key.write(to: &out, quotes: true)
                out += utf8(": ")
                try member.value.write(to: &out, quotes: true)
            }
            out.append(ascii("}"))
        case .loop(let loop): out += utf8("<LoopContext \(loop.index + 1)/\(loop.elements.values.count)>")
        case .namespace, .macro, .function, .method: throw unexpected("\(kind) has no text")
        }
    }

    private static func write(_ elements: Elements, to out: inout Bytes) throws(GraftError) {
        let (opening, closing): (String, String)
        switch elements.kind {
        case .list: (opening, closing) = ("[", "]")
        case .tuple: (opening, closing) = ("(", elements.values.count == 1 ? ",)" : ")")
        case .keys: (opening, closing) = ("dict_keys([", "])")
        case .values: (opening, closing) = ("dict_values([", "])")
        case .items: (opening, closing) = ("dict_items([", "])")
        case .range:
            let (start, end, step) = elements.bounds
            out += utf8("range(\(start), \(end)" + (step == 1 ? ")" : ", \(step))"))
            return
        case .generator: throw unexpected("a generator has no text; expected it to go through |list or |join")
        }
        out += utf8(opening)
        for (index, element) in elements.values.enumerated() {
            if index > 0 { out += utf8(", ") }
            try element.write(to: &out, quotes: true)
        }
        out += utf8(closing)
    }

    /// `repr(text)`.
    private static func writeQuoted(_ text: Bytes, to out: inout Bytes) {
        let quote = text.contains(ascii("'")) && !text.contains(ascii("\"")) ? ascii("\"") : ascii("'")
        out.append(quote)
        for scalar in text.scalars {
            switch scalar {
            case 0x0A: out += utf8("\\n")
            case 0x0D: out += utf8("\\r")
            case 0x09: out += utf8("\\t")
            case 0x5C: out += utf8("\\\\")
            case UInt32(quote): out += [ascii("\\"), quote]
            case _ where PythonText.isPrintable(scalar): out.append(scalar: scalar)
            case 0..<0x100: out += utf8("\\x" + hexadecimal(scalar, 2))
            case 0..<0x10000: out += utf8("\\u" + hexadecimal(scalar, 4))
            default: out += utf8("\\U" + hexadecimal(scalar, 8))
            }
        }
        out.append(quote)
    }
}

func hexadecimal(_ value: UInt32, _ count: Int) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
}
