import GraftFormats

/// Text as Python's `str` treats it.
enum PythonText {
    /// How many bytes at the start are white space, or of these characters.
    static func leadingCount(_ text: Bytes, from start: Int = 0, _ characters: [UInt32]? = nil) -> Int {
        var position = start
        while position < text.count {
            let (value, length) = text.scalar(at: position)
            guard characters?.contains(value) ?? PythonScalars.isSpace(value) else { break }
            position += length
        }
        return position - start
    }

    /// Where white space, or these characters, at the end begins.
    static func trailingStart(_ text: Bytes, _ characters: [UInt32]? = nil) -> Int {
        var end = text.count
        while end > 0 {
            var start = end - 1
            while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
            guard
                characters?.contains(text.scalar(at: start).value)
                    ?? PythonScalars.isSpace(text.scalar(at: start).value)
            else {
                break
            }
            end = start
        }
        return end
    }

    static func stripped(_ text: Bytes, left: Bool = true, right: Bool = true, _ characters: [UInt32]? = nil) -> Bytes {
        let end = right ? trailingStart(text, characters) : text.count
        let start = left ? min(leadingCount(text, characters), end) : 0
        return start == 0 && end == text.count ? text : text.part(start..<end)
    }

    // MARK: Parts

    /// `str.split(separator, limit)`; below 0 without a limit.
    static func split(_ text: Bytes, by separator: Bytes, limit: Int) -> [Bytes] {
        var (parts, start): ([Bytes], Int) = ([], 0)
        while limit < 0 || parts.count < limit, let next = text.find(separator, from: start) {
            parts.append(text.part(start..<next))
            start = next + separator.count
        }
        parts.append(text.part(start..<text.count))
        return parts
    }

    static func splitFromEnd(_ text: Bytes, by separator: Bytes, limit: Int) -> [Bytes] {
        var (parts, end): ([Bytes], Int) = ([], text.count)
        while limit < 0 || parts.count < limit, let next = text.findLast(separator, before: end) {
            parts.append(text.part(next + separator.count..<end))
            end = next
        }
        parts.append(text.part(0..<end))
        return parts.reversed()
    }

    /// `str.split(None, limit)`: words.
    static func words(_ text: Bytes, limit: Int) -> [Bytes] {
        var (parts, position): ([Bytes], Int) = ([], leadingCount(text))
        while position < text.count {
            if limit >= 0, parts.count >= limit {
                parts.append(text.part(position..<text.count))
                break
            }
            var end = position
            while end < text.count, !PythonScalars.isSpace(text.scalar(at: end).value) {
                end += text.scalar(at: end).length
            }
            parts.append(text.part(position..<end))
            position = end + leadingCount(text, from: end)
        }
        return parts
    }

    static func wordsFromEnd(_ text: Bytes, limit: Int) -> [Bytes] {
        let all = words(text, limit: -1)
        guard limit >= 0, all.count > limit else { return all }
        var end = trailingStart(text)
        for word in all.suffix(limit).reversed() {
            end -= word.count
            end = trailingStart(text.part(0..<end))
        }
        return [text.part(0..<end)] + all.suffix(limit)
    }

    /// `str.splitlines()`.
    static func lines(_ text: Bytes, keepsEnds: Bool = false) -> [Bytes] {
        var (parts, start, position): ([Bytes], Int, Int) = ([], 0, 0)
        while position < text.count {
            let (value, length) = text.scalar(at: position)
            var next = position + length
            switch value {
            case 0x0D where next < text.count && text[next] == 0x0A: next += 1
            case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: break
            default:
                position = next
                continue
            }
            parts.append(text.part(start..<(keepsEnds ? next : position)))
            (start, position) = (next, next)
        }
        if start < text.count { parts.append(text.part(start..<text.count)) }
        return parts
    }

    /// `str.replace(old, new, limit)`; below 0 without a limit.
    static func replacing(_ old: Bytes, with new: Bytes, in text: Bytes, limit: Int) -> Bytes {
        var (result, start, done): (Bytes, Int, Int) = ([], 0, 0)
        guard !old.isEmpty else {
            while limit < 0 || done < limit {
                result += new
                done += 1
                guard start < text.count else { return result }
                let next = start + text.scalar(at: start).length
                result += text[start..<next]
                start = next
            }
            return result + text[start...]
        }
        while limit < 0 || done < limit, let next = text.find(old, from: start) {
            result += text[start..<next]
            result += new
            start = next + old.count
            done += 1
        }
        return done == 0 ? text : result + text[start...]
    }

    // MARK: Letter case

    enum Case { case upper, lower, capital, title, swapped }

    static func cased(_ text: Bytes, _ wanted: Case) -> Bytes {
        let scalars = text.scalars
        var result = Bytes()
        result.reserveCapacity(text.count)
        var followsCased = false
        for (index, value) in scalars.enumerated() {
            if value < 0x80 {
                let (isUpper, isLower) = (0x41...0x5A ~= value, 0x61...0x7A ~= value)
                let toUpper =
                    switch wanted {
                    case .upper: true
                    case .lower: false
                    case .capital: index == 0
                    case .title: !followsCased
                    case .swapped: isLower
                    }
                result.append(UInt8(value) ^ (toUpper && isLower || !toUpper && isUpper ? 0x20 : 0))
                followsCased = isUpper || isLower
                continue
            }
            let properties = PythonScalars.properties(value)
            let toUpper =
                switch wanted {
                case .upper: true
                case .lower: false
                case .capital: index == 0
                case .title: !followsCased
                case .swapped: properties.isLowercase
                }
            if wanted == .swapped, !properties.isUppercase, !properties.isLowercase {
                result.append(scalar: value)
            } else if !toUpper, value == 0x3A3 {
                result.append(scalar: PythonScalars.endsWord(scalars, at: index) ? 0x3C2 : 0x3C3)
            } else {
                let isTitle = wanted == .title || wanted == .capital
                let mapped =
                    !toUpper
                    ? properties.lowercaseMapping : isTitle ? properties.titlecaseMapping : properties.uppercaseMapping
                result += mapped.utf8
            }
            followsCased = properties.isCased
        }
        return result
    }

    // MARK: Claims

    enum Claim { case digits, decimals, numbers, letters, lettersOrNumbers, spaces, upper, lower, title, ascii }

    /// `str.isdigit` and its kin: of all characters, of which there must be one.
    static func holds(_ claim: Claim, _ text: Bytes) -> Bool {
        if claim == .ascii { return text.allSatisfy { $0 < 0x80 } }
        var (isAny, followsCased) = (false, false)
        for value in text.scalars {
            let properties = PythonScalars.properties(value)
            switch claim {
            case .spaces: guard PythonScalars.isSpace(value) else { return false }
            case .digits, .decimals, .numbers, .letters, .lettersOrNumbers:
                guard isOf(claim, properties) else { return false }
            case .upper, .lower:
                let isTitle = properties.generalCategory == .titlecaseLetter
                if isTitle || (claim == .upper ? properties.isLowercase : properties.isUppercase) { return false }
                if claim == .upper ? !properties.isUppercase : !properties.isLowercase { continue }
            case .title:
                let isUpper = properties.isUppercase || properties.generalCategory == .titlecaseLetter
                if isUpper ? followsCased : properties.isLowercase && !followsCased { return false }
                followsCased = isUpper || properties.isLowercase
                if !followsCased { continue }
            case .ascii: break
            }
            isAny = true
        }
        return isAny
    }

    private static func isOf(_ claim: Claim, _ properties: Unicode.Scalar.Properties) -> Bool {
        let isLetter =
            switch properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
            default: false
            }
        let isNumber = properties.numericType != nil
        return switch claim {
        case .decimals: properties.numericType == .decimal
        case .digits: properties.numericType == .decimal || properties.numericType == .digit
        case .numbers: isNumber
        case .letters: isLetter
        default: isLetter || isNumber
        }
    }

    /// Python's `str.isprintable` of a character: what `repr` writes as it is.
    static func isPrintable(_ value: UInt32) -> Bool {
        if value < 0x7F { return value >= 0x20 }
        return switch PythonScalars.properties(value).generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            false
        default: true
        }
    }
}
