/// ROUGE (Lin 2004) of a row, as rouge-score computes it: F1 of single words, of pairs of words,
/// and of the longest common subsequence of a text, or of its lines.
enum Rouge {
    static let names = ["rouge1", "rouge2", "rougeL", "rougeLsum"]

    /// A text, cut into words and into lines of words.
    struct Text {
        let words: [UInt32]
        let lines: [[UInt32]]

        init(_ text: ScalarText, _ tokens: WrittenTokens, _ numbers: inout WordNumbers) {
            words = numbers.numbered(tokens.words(text))
            var lines: [[UInt32]] = []
            for line in text.split(separator: "\n") { lines.append(numbers.numbered(tokens.words(Array(line)))) }
            self.lines = lines
        }
    }

    /// The best of each among the references, in the order of the names.
    static func values(_ written: Text, _ references: [Text]) -> [Double] {
        var best = Array(repeating: 0.0, count: names.count)
        for reference in references {
            let common = CommonSubsequences(written.words, reference.words, keepsRows: false).length
            let own = [
                ngrams(written.words, reference.words, 1), ngrams(written.words, reference.words, 2),
                f1(common, written.words.count, reference.words.count), lines(written, reference),
            ]
            best = zip(best, own).map(max)
        }
        return best
    }

    private static func ngrams(_ written: [UInt32], _ reference: [UInt32], _ length: Int) -> Double {
        var ngrams = NGrams(upTo: length)
        ngrams.add(reference)
        ngrams.add(written)
        var right = 0
        for (number, count) in ngrams.counts[0].enumerated() where ngrams.orders[number] == length - 1 {
            right += Int(min(count, ngrams.counts[1][number]))
        }
        return f1(right, max(0, written.count - length + 1), max(0, reference.count - length + 1))
    }

    /// Of the words of a reference's line that are in the longest common subsequence with any line
    /// that was written; each word as often as both texts have it.
    private static func lines(_ written: Text, _ reference: Text) -> Double {
        func counted(_ text: Text) -> [UInt32: Int] {
            text.lines.joined().reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
        var (own, other, right) = (counted(written), counted(reference), 0)
        for line in reference.lines {
            var places: Set<Int> = []
            for given in written.lines { places.formUnion(CommonSubsequences(line, given, keepsRows: true).places) }
            for place in places.sorted() {
                guard let left = own[line[place]], let wanted = other[line[place]], left > 0, wanted > 0 else {
                    continue
                }
                right += 1
                own[line[place]] = left - 1
                other[line[place]] = wanted - 1
            }
        }
        return f1(right, written.lines.joined().count, reference.lines.joined().count)
    }

    private static func f1(_ right: Int, _ given: Int, _ wanted: Int) -> Double {
        guard right > 0 else { return 0 }
        let (precision, recall) = (Double(right) / Double(given), Double(right) / Double(wanted))
        return 2 * precision * recall / (precision + recall)
    }
}
