import GraftTensor

/// Sets of characters in brackets: `[a-z&&[^aeiou]]`.
extension OnigurumaParser {
    /// A class behind its opening bracket.
    mutating func bracket(depth: Int, isOutermost: Bool) throws(GraftError) -> ScalarSet {
        guard depth <= Self.deepest else { throw unsupported("more than \(Self.deepest) brackets within each other") }
        let isNegated = skip("^")
        var set = ScalarSet.none
        var intersection: ScalarSet?
        if peek == "]" {
            // A bracket that closes at once is an ordinary character.
            guard pattern[(position + 1)...].contains("]") else { throw invalid("an empty pair of brackets") }
            set = try range()
        }
        while true {
            guard let scalar = peek else { throw invalid("a bracket without an end") }
            if skip("]") { break }
            if skip("&&") {
                intersection = intersection?.intersection(set) ?? set
                set = .none
            } else if skip("[") {
                set = set.union(try nested(depth: depth))
                try refuseRange()
            } else if scalar == "\\", let letter = peek(1),
                let escaped = try bracketEscape(letter)
            {
                set = set.union(escaped)
                try refuseRange()
            } else {
                set = set.union(try range())
            }
        }
        set = intersection?.intersection(set) ?? set
        if options.ignoresCase, isOutermost {
            set = UnicodeProperties.ignoringCase(set)
            if !isNegated, !set.intersection(UnicodeProperties.folded).edges.isEmpty {
                throw unsupported("brackets regardless of case that hold a letter which stands for several")
            }
        }
        return isNegated ? set.inverted : set
    }

    /// `[:name:]` or brackets in brackets, behind the opening one.
    private mutating func nested(depth: Int) throws(GraftError) -> ScalarSet {
        guard peek == ":", let end = closingColon() else {
            return try bracket(depth: depth + 1, isOutermost: false)
        }
        position += 1
        let isNegated = skip("^")
        let name = String(String.UnicodeScalarView(pattern[position..<max(end, position)]))
        guard let set = UnicodeProperties.bracket(name) else { throw invalid("the class [:\(name):]") }
        position = end + 2
        return isNegated ? set.inverted : set
    }

    /// Where `:]` stands before any other bracket.
    private func closingColon() -> Int? {
        var index = position + 1
        while index + 1 < pattern.count, pattern[index] != "[", pattern[index] != "]" {
            if pattern[index] == ":", pattern[index + 1] == "]" { return index }
            index += 1
        }
        return nil
    }

    /// The set of an escape that is one, read with its backslash; nil, and nothing read, for a
    /// character.
    private mutating func bracketEscape(_ letter: Unicode.Scalar) throws(GraftError) -> ScalarSet? {
        let start = position
        position += 2
        if let set = try escapedSet(letter, word: UnicodeProperties.bracket("word") ?? .none) { return set }
        position = start
        return nil
    }

    /// A character, or two with what is between.
    private mutating func range() throws(GraftError) -> ScalarSet {
        let first = try bracketCharacter()
        guard peek == "-", let after = peek(1), after != "]" else { return ScalarSet(first) }
        if after == "&", peek(2) == "&" { return ScalarSet(first) }
        position += 1
        if after == "[" { throw unsupported("a range that ends with brackets") }
        if after == "\\", let letter = peek(1), try bracketEscape(letter) != nil {
            throw invalid("a range that ends with a class")
        }
        let last = try bracketCharacter()
        guard first <= last else { throw invalid("a range that ends before it begins") }
        // A hyphen right behind a range is an ordinary character.
        let hyphen = peek == "-" && peek(1) != "]" && skip("-")
        return ScalarSet(first...last).union(hyphen ? ScalarSet(0x2D) : .none)
    }

    private mutating func bracketCharacter() throws(GraftError) -> UInt32 {
        guard let scalar = next() else { throw invalid("a bracket without an end") }
        guard scalar == "\\" else { return scalar.value }
        guard let letter = next() else { throw invalid("a backslash at the end") }
        switch letter {
        case "b": return 0x08
        case "R", "X", "N", "O", "K", "1"..."9": throw unsupported("\\\(letter) inside brackets")
        default: return try escapedCharacter(letter)
        }
    }

    /// Behind a class a hyphen must be the last character.
    private func refuseRange() throws(GraftError) {
        guard peek == "-", peek(1) != "]", !(peek(1) == "&" && peek(2) == "&") else { return }
        throw invalid("a range that begins with a class")
    }
}
