import GraftFormats
import GraftTensor

/// Filters of texts, and of what is written as one, and of numbers.
extension Renderer {
    func applyToText(
        _ filter: Filter, _ name: String, _ value: Value, _ given: [Value?]
    ) throws(GraftError) -> Value {
        if filter == .indent || filter == .truncate {
            // Anything short enough stays what it is.
            if case .elements(let elements) = value, filter == .truncate, elements.hasLength {
                let (length, leeway) = (try given[0].whole("length") ?? 255, try given[3].whole("leeway") ?? 5)
                if elements.values.count <= length.addingReportingOverflow(leeway).partialValue { return value }
            }
            guard case .string(let content) = value else {
                if case .undefined(let undefined) = value {
                    guard filter == .truncate else { throw error(of: undefined) }
                    return value
                }
                throw unexpected("\(name): expected a string, found \(value.kind)")
            }
            return filter == .indent ? try indented(content, given) : try truncated(content, given)
        }
        let content = try written(value)
        switch filter {
        case .cased: return try made(PythonText.cased(content, Self.cases[name] ?? .lower))
        case .title: return try made(Self.titled(content))
        case .trim: return .string(PythonText.stripped(content, try given[0].optionalBytes("trim")?.scalars))
        case .replace:
            guard let old = try given[0].map({ value throws(GraftError) in try written(value) }),
                let new = try given[1].map({ value throws(GraftError) in try written(value) })
            else {
                throw unexpected("replace: expected what to replace and with what")
            }
            var limit: Int?
            if case .some(.none) = given[2] { limit = nil } else { limit = try given[2].whole("count") }
            return try replaced(content, old, new, limit ?? -1)
        case .center:
            return try callTextMethod("center", content, Arguments(positional: [given[0] ?? .integer(80)]))
        default: return try made(Self.escaped(content))
        }
    }

    private static func escaped(_ content: Bytes) -> Bytes {
        var out = Bytes()
        for byte in content {
            switch byte {
            case ascii("&"): out += utf8("&amp;")
            case ascii("<"): out += utf8("&lt;")
            case ascii(">"): out += utf8("&gt;")
            case ascii("'"): out += utf8("&#39;")
            case ascii("\""): out += utf8("&#34;")
            default: out.append(byte)
            }
        }
        return out
    }

    /// Words begin after white space, a dash or an opening bracket.
    private static func titled(_ content: Bytes) -> Bytes {
        var (out, word, position) = (Bytes(), Bytes(), 0)
        func cased(_ word: Bytes) -> Bytes {
            guard !word.isEmpty else { return [] }
            let length = word.scalar(at: 0).length
            return PythonText.cased(word.part(0..<length), .upper)
                + PythonText.cased(word.part(length..<word.count), .lower)
        }
        while position < content.count {
            let (scalar, length) = content.scalar(at: position)
            let isBetween = PythonScalars.isSpace(scalar) || [0x2D, 0x28, 0x7B, 0x5B, 0x3C].contains(scalar)
            if isBetween {
                out += cased(word) + content[position..<position + length]
                word = []
            } else {
                word += content[position..<position + length]
            }
            position += length
        }
        return out + cased(word)
    }

    private func indented(_ content: Bytes, _ given: [Value?]) throws(GraftError) -> Value {
        let indent: Bytes
        if case .some(.string(let text)) = given[0] {
            indent = text
        } else {
            let width = max(0, try given[0].whole("width") ?? 4)
            try announce(width)
            indent = Bytes(repeating: ascii(" "), count: width)
        }
        let lines = PythonText.lines(content + [ascii("\n")])
        let (size, overflow) = lines.count.multipliedReportingOverflow(by: indent.count + 1)
        try announce(overflow || size > Self.mostText ? -1 : size + content.count)
        var out = given[1].isTrue ? indent : []
        for (index, line) in lines.enumerated() {
            if index > 0 {
                out.append(ascii("\n"))
                if !line.isEmpty || given[2].isTrue { out += indent }
            }
            out += line
        }
        return try made(out)
    }

    private func truncated(_ content: Bytes, _ given: [Value?]) throws(GraftError) -> Value {
        let length = try given[0].whole("length") ?? 255
        let end = try given[2].bytes("end") ?? utf8("...")
        let leeway = try given[3].whole("leeway") ?? 5
        guard length >= end.scalarCount, leeway >= 0, leeway < 1 << 40, length < 1 << 40 else {
            throw unexpected("truncate: expected a length of at least \(end.scalarCount) and a leeway from 0")
        }
        if content.scalarCount <= length + leeway { return .string(content) }
        var part = content.part(0..<content.byte(ofScalar: length - end.scalarCount))
        if !given[1].isTrue, let space = part.lastIndex(of: ascii(" ")) { part = part.part(0..<space) }
        return try made(part + end)
    }

    // MARK: Numbers

    func applyToNumber(_ filter: Filter, _ value: Value, _ given: [Value?]) throws(GraftError) -> Value {
        if case .undefined(let undefined) = value { throw error(of: undefined) }
        switch filter {
        case .abs:
            if case .float(let number) = value { return .float(number.magnitude) }
            guard let whole = value.whole, whole > .min else {
                throw unexpected("abs: expected a number, found \(value.kind)")
            }
            return .integer(whole < 0 ? -whole : whole)
        case .int:
            if case .longInteger = value { return value }
            let base = try given[1].whole("base") ?? 10
            return try Self.integer(value, base: base).map { .integer($0) } ?? given[0] ?? .integer(0)
        case .float: return Self.float(value).map { .float($0) } ?? given[0] ?? .float(0)
        default: return try rounded(value, given)
        }
    }

    private static func integer(_ value: Value, base: Int) throws(GraftError) -> Int? {
        if let whole = value.whole { return whole }
        if case .string(let content) = value, base == 0 || 2...36 ~= base {
            if let whole = PythonNumber.integer(content, base: base) { return whole }
        }
        guard let number = float(value), number.isFinite else { return nil }
        guard let whole = Int(exactly: number.rounded(.towardZero)) else {
            throw GraftError(.unsupported, "an integer beyond 64 bits")
        }
        return whole
    }

    private static func float(_ value: Value) -> Double? {
        if case .string(let content) = value { return PythonNumber.float(content) }
        return value.number
    }

    private func rounded(_ value: Value, _ given: [Value?]) throws(GraftError) -> Value {
        guard let number = value.number else { throw unexpected("round: expected a number, found \(value.kind)") }
        let precision = try given[0].whole("precision") ?? 0
        guard -300...300 ~= precision else { throw GraftError(.unsupported, "a precision of more than 300 digits") }
        let method = try given[1].bytes("method") ?? utf8("common")
        if method == utf8("common") {
            if let whole = value.whole, precision >= 0 { return .integer(whole) }
            guard precision >= 0, value.whole == nil else {
                throw GraftError(.unsupported, "round: a precision below 0 is not supported")
            }
            guard number.isFinite else { return value }
            return .float(Double(try Self.fixed(number, precision)) ?? number)
        }
        guard method == utf8("ceil") || method == utf8("floor") else {
            throw unexpected("round: expected common, ceil or floor, found \(brief(method))")
        }
        let scale = PythonNumber.powerOfTen(precision)
        let scaled = (number * scale).rounded(method == utf8("ceil") ? .up : .down)
        guard scaled.isFinite else { throw unexpected("round: a number beyond all bounds") }
        return .float(scaled / scale)
    }
}
