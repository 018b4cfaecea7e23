import GraftTensor

/// What a call gives.
struct Arguments {
    var positional: [Value] = []
    var named: [(name: Bytes, value: Value)] = []

    /// The arguments in the order of a function's parameters; nil where one is left out.
    ///
    /// - Parameters:
    ///   - parameters: their names with spaces between.
    ///   - required: how many of the first must be there.
    func bound(_ function: String, _ parameters: StaticString, required: Int = 0) throws(GraftError) -> [Value?] {
        let spelled = UnsafeBufferPointer(start: parameters.utf8Start, count: parameters.utf8CodeUnitCount)
        var count = spelled.isEmpty ? 0 : 1
        for byte in spelled where byte == ascii(" ") { count += 1 }
        guard positional.count <= count else {
            throw unexpected("\(function) takes at most \(count) arguments, found \(positional.count)")
        }
        var found = [Value?](repeating: nil, count: count)
        for (place, value) in positional.enumerated() { found[place] = value }
        if !named.isEmpty {
            let names = Self.names(parameters)
            for (name, value) in named {
                guard let place = names.firstIndex(of: name), found[place] == nil else {
                    throw unexpected("\(function) takes no argument \"\(brief(name))\" here")
                }
                found[place] = value
            }
        }
        for place in 0..<required where found[place] == nil {
            throw unexpected("\(function) needs its argument \"\(text(Self.names(parameters)[place]))\"")
        }
        return found
    }

    private static func names(_ parameters: StaticString) -> [Bytes] {
        PythonText.split(utf8("\(parameters)"), by: [ascii(" ")], limit: -1)
    }
}

/// An argument as a type; nil where it is left out.
extension Value? {
    func whole(_ name: String) throws(GraftError) -> Int? {
        guard let self else { return nil }
        guard let value = self.whole else { throw unexpected("\(name): expected an integer, found \(self.kind)") }
        return value
    }

    func bytes(_ name: String) throws(GraftError) -> Bytes? {
        guard let self else { return nil }
        guard case .string(let text) = self else {
            throw unexpected("\(name): expected a string, found \(self.kind)")
        }
        return text
    }

    /// As `bytes`, where none stands for what is left out.
    func optionalBytes(_ name: String) throws(GraftError) -> Bytes? {
        if case .some(.none) = self { return nil }
        return try bytes(name)
    }

    var isTrue: Bool { self?.isTrue ?? false }
}
