/// How often each sequence of up to so many tokens is in each of some texts.
struct NGrams {
    private let longest: Int
    /// By the number after that of all tokens but the last, and the last.
    private var numbers: [UInt64: Int] = [:]
    /// Of each sequence: how many tokens it has, less 1.
    private(set) var orders: [Int] = []
    /// Of each text, of the sequences that were known by then.
    private(set) var counts: [[Int32]] = []

    init(upTo longest: Int) { self.longest = longest }

    mutating func add(_ tokens: [UInt32]) {
        var own = Array(repeating: Int32(0), count: orders.count)
        for start in tokens.indices {
            var before = 0
            for order in 0..<min(longest, tokens.count - start) {
                let key = UInt64(before) << 32 | UInt64(tokens[start + order])
                let number = numbers[key] ?? orders.count
                if number == orders.count {
                    numbers[key] = number
                    orders.append(order)
                    own.append(0)
                }
                own[number] += 1
                before = number + 1
            }
        }
        counts.append(own)
    }
}

/// Words by numbers: equal ones have the same.
struct WordNumbers {
    private var numbers: [ScalarText: UInt32] = [:]

    mutating func numbered(_ words: [ScalarText]) -> [UInt32] {
        words.map { word in
            let number = numbers[word] ?? UInt32(numbers.count)
            numbers[word] = number
            return number
        }
    }
}
