import GraftTensor

/// Python's methods of `str`.
extension Renderer {
    func callTextMethod(_ method: String, _ content: Bytes, _ arguments: Arguments) throws(GraftError) -> Value {
        if let wanted = Self.cases[method] { return try made(PythonText.cased(content, wanted)) }
        if let claim = Self.claims[method] { return .bool(PythonText.holds(claim, content)) }
        switch method {
        case "strip", "lstrip", "rstrip":
            let characters = try arguments.bound(method, "chars")[0].optionalBytes("chars")?.scalars
            return .string(
                PythonText.stripped(content, left: method != "rstrip", right: method != "lstrip", characters))
        case "split", "rsplit": return try split(content, arguments, method)
        case "splitlines":
            let keeps = try arguments.bound(method, "keepends")[0].isTrue
            return try list(PythonText.lines(content, keepsEnds: keeps).map { .string($0) })
        case "partition", "rpartition": return try partition(content, arguments, method)
        case "startswith", "endswith": return try .bool(borders(content, arguments, method))
        case "removeprefix", "removesuffix":
            let part = try arguments.bound(method, "part", required: 1)[0].bytes(method) ?? []
            if method == "removeprefix", content.starts(with: part) {
                return .string(content.part(part.count..<content.count))
            }
            if method == "removesuffix", content.ends(with: part) {
                return .string(content.part(0..<content.count - part.count))
            }
            return .string(content)
        case "replace":
            let found = try arguments.bound(method, "old new count", required: 2)
            return try replaced(
                content, try found[0].bytes("old") ?? [], try found[1].bytes("new") ?? [],
                try found[2].whole("count") ?? -1)
        case "find", "rfind", "index", "rindex", "count": return try search(content, arguments, method)
        case "join":
            let values = try elements(of: try arguments.bound(method, "iterable", required: 1)[0] ?? .none)
            return try joined(values, by: content, writes: false)
        case "center", "ljust", "rjust", "zfill": return try padded(content, arguments, method)
        case "format": return try filled(content, arguments)
        default: throw GraftError(.unsupported, "the method \(method) of a string is not supported")
        }
    }

    static let cases: [String: PythonText.Case] = [
        "upper": .upper, "lower": .lower, "capitalize": .capital, "title": .title, "swapcase": .swapped,
    ]
    private static let claims: [String: PythonText.Claim] = [
        "isdigit": .digits, "isdecimal": .decimals, "isnumeric": .numbers, "isalpha": .letters, "isspace": .spaces,
        "isalnum": .lettersOrNumbers, "isupper": .upper, "islower": .lower, "istitle": .title, "isascii": .ascii,
    ]

    func replaced(_ content: Bytes, _ old: Bytes, _ new: Bytes, _ limit: Int) throws(GraftError) -> Value {
        try chargeSearch(content, old)
        let most = old.isEmpty ? content.count + 1 : content.count / old.count
        let (grown, overflow) = new.count.multipliedReportingOverflow(by: limit < 0 ? most : min(limit, most))
        // This may be more than what is made: only where it exceeds all bounds it is told exactly.
        if overflow || grown > Self.mostText - content.count {
            let found = try counted(content, old)
            let count = limit < 0 ? found : min(limit, found)
            try announce(content.count + count * max(new.count - old.count, 0))
        }
        return try made(PythonText.replacing(old, with: new, in: content, limit: limit))
    }

    private func counted(_ content: Bytes, _ part: Bytes) throws(GraftError) -> Int {
        if part.isEmpty { return content.scalarCount + 1 }
        var (count, start) = (0, 0)
        while let place = content.find(part, from: start) {
            count += 1
            start = place + part.count
        }
        return count
    }

    private func split(_ content: Bytes, _ arguments: Arguments, _ method: String) throws(GraftError) -> Value {
        let found = try arguments.bound(method, "sep maxsplit")
        let limit = try found[1].whole("maxsplit") ?? -1
        let isFromEnd = method == "rsplit"
        let parts: [Bytes]
        if let separator = try found[0].optionalBytes("sep") {
            guard !separator.isEmpty else { throw unexpected("\(method): the separator is empty") }
            try chargeSearch(content, separator)
            parts =
                isFromEnd
                ? PythonText.splitFromEnd(content, by: separator, limit: limit)
                : PythonText.split(content, by: separator, limit: limit)
        } else {
            parts = isFromEnd ? PythonText.wordsFromEnd(content, limit: limit) : PythonText.words(content, limit: limit)
        }
        return try list(parts.map { .string($0) })
    }

    /// Where the first byte is found often, all are compared often.
    func chargeSearch(_ content: Bytes, _ part: Bytes) throws(GraftError) {
        let (work, overflow) = content.count.multipliedReportingOverflow(by: 1 + part.count / 16)
        try charge(overflow ? -1 : work)
    }

    private func partition(_ content: Bytes, _ arguments: Arguments, _ method: String) throws(GraftError) -> Value {
        let separator = try arguments.bound(method, "sep", required: 1)[0].bytes("sep") ?? []
        guard !separator.isEmpty else { throw unexpected("\(method): the separator is empty") }
        let isFromEnd = method == "rpartition"
        try chargeSearch(content, separator)
        let place = isFromEnd ? content.findLast(separator, before: content.count) : content.find(separator)
        guard let place else {
            return .tuple((isFromEnd ? [[], [], content] : [content, [], []]).map { .string($0) })
        }
        return .tuple(
            [content.part(0..<place), separator, content.part(place + separator.count..<content.count)].map {
                .string($0)
            })
    }

    /// The part between two places, which `start` and `end` say in characters.
    private func part(_ content: Bytes, _ start: Int?, _ end: Int?) -> (bytes: Bytes, start: Int)? {
        guard start != nil || end != nil else { return (content, 0) }
        let count = content.scalarCount
        func place(_ bound: Int) -> Int { min(max(bound < 0 ? bound &+ count : bound, 0), count) }
        if let start, start > count { return nil }
        let (lower, upper) = (start.map(place) ?? 0, end.map(place) ?? count)
        guard lower <= upper else { return nil }
        return (content.part(content.byte(ofScalar: lower)..<content.byte(ofScalar: upper)), lower)
    }

    private func borders(_ content: Bytes, _ arguments: Arguments, _ method: String) throws(GraftError) -> Bool {
        let found = try arguments.bound(method, "part start end", required: 1)
        guard let (content, _) = part(content, try found[1].whole("start"), try found[2].whole("end")) else {
            return false
        }
        var parts: [Value] = [found[0] ?? .none]
        if case .elements(let elements) = parts[0], elements.kind == .tuple { parts = elements.values }
        for part in parts {
            guard case .string(let part) = part else {
                throw unexpected("\(method): expected a string, found \(part.kind)")
            }
            if method == "startswith" ? content.starts(with: part) : content.ends(with: part) { return true }
        }
        return false
    }

    private func search(_ content: Bytes, _ arguments: Arguments, _ method: String) throws(GraftError) -> Value {
        let found = try arguments.bound(method, "sub start end", required: 1)
        let sought = try found[0].bytes("sub") ?? []
        try chargeSearch(content, sought)
        let within = part(content, try found[1].whole("start"), try found[2].whole("end"))
        if method == "count" {
            return .integer(try within.map { bytes, _ throws(GraftError) in try counted(bytes, sought) } ?? 0)
        }
        var place: Int?
        if let (bytes, start) = within {
            let byte =
                method.utf8.first == ascii("r") ? bytes.findLast(sought, before: bytes.count) : bytes.find(sought)
            place = byte.map { start + bytes.part(0..<$0).scalarCount }
        }
        guard place != nil || method.hasSuffix("find") else { throw unexpected("\(method): the text is not there") }
        return .integer(place ?? -1)
    }

    /// - Parameter writes: whether values other than texts are written as texts.
    func joined(_ values: [Value], by separator: Bytes, writes: Bool) throws(GraftError) -> Value {
        var whole = Bytes()
        for (index, value) in values.enumerated() {
            if index > 0 { whole += separator }
            if case .string(let text) = value {
                whole += text
            } else {
                guard writes else { throw unexpected("join: expected strings, found \(value.kind)") }
                whole += try written(value)
            }
            guard whole.count <= Self.mostText else { throw tooMuch("a text of more than \(Self.mostText) bytes") }
        }
        return try made(whole)
    }

    private func padded(_ content: Bytes, _ arguments: Arguments, _ method: String) throws(GraftError) -> Value {
        let found = try arguments.bound(method, "width fillchar", required: 1)
        let fill = try found[1].bytes("fillchar") ?? [method == "zfill" ? ascii("0") : ascii(" ")]
        guard fill.scalarCount == 1 else { throw unexpected("\(method): expected one character to fill with") }
        let count = content.scalarCount
        let missing = max(0, try found[0].whole("width") ?? 0) - count
        guard missing > 0 else { return .string(content) }
        let (size, overflow) = missing.multipliedReportingOverflow(by: fill.count)
        try announce(overflow || size > Self.mostText ? -1 : content.count + size)
        func filling(_ count: Int) -> Bytes { Bytes((0..<count).map { _ in fill }.joined()) }
        switch method {
        case "ljust": return .string(content + filling(missing))
        case "rjust": return .string(filling(missing) + content)
        case "zfill":
            let signs = content.first == ascii("-") || content.first == ascii("+") ? 1 : 0
            return .string(content.prefix(signs) + filling(missing) + content.dropFirst(signs))
        default:
            // Python puts the odd one on the left of a text with an even width asked for.
            let left = missing / 2 + (missing & (missing + count) & 1)
            return .string(filling(left) + content + filling(missing - left))
        }
    }
}
