/// Guesses how a text goes on: as it did where its latest two tokens came last before, in the
/// prompt or in the text (Saxena 2023, prompt lookup decoding). What quotes its prompt is guessed
/// for long stretches; a guess that is wrong costs some work and changes nothing.
///
/// How many tokens are guessed follows how the guesses before turned out: twice as many after one
/// that was right as a whole, as many as were right after another. After one that was wrong from
/// its first token, some tokens pass without any, twice as many each time. It depends on the row's
/// tokens alone.
struct PromptLookup {
    /// Tokens of a guess.
    private let most: Int
    private var length: Int
    /// What was guessed last, for the tokens from `place` on.
    private var guess: [Int32] = []
    private var place = 0
    /// Tokens that pass without a guess behind one that was wrong, and where the next may come.
    private var pause = 1
    private var next = 0

    private static let firstLength = 4
    private static let longestPause = 16

    init(most: Int) {
        self.most = most
        length = min(most, Self.firstLength)
    }

    /// At most `room` tokens that may follow these; none where none are guessed. Costs a look at
    /// each of the tokens.
    mutating func guess(after tokens: [Int32], room: Int) -> [Int32] {
        if most == 0 { return [] }
        learn(from: tokens)
        guess.removeAll(keepingCapacity: true)
        guard room > 0, tokens.count >= next, let start = follower(in: tokens) else { return [] }
        place = tokens.count
        for index in start..<start + min(length, room) {
            // What repeats itself goes on doing so.
            guess.append(index < place ? tokens[index] : guess[index - place])
        }
        return guess
    }

    private mutating func learn(from tokens: [Int32]) {
        guard !guess.isEmpty else { return }
        let right = zip(guess, tokens[min(place, tokens.count)...]).prefix { $0 == $1 }.count
        if right == 0 {
            next = tokens.count + pause
            pause = min(2 * pause, Self.longestPause)
        } else {
            pause = 1
        }
        length = right == guess.count ? min(2 * length, most) : max(1, right)
    }

    /// The place behind the latest two tokens where they came last before.
    private func follower(in tokens: [Int32]) -> Int? {
        guard tokens.count > 2 else { return nil }
        let (first, second) = (tokens[tokens.count - 2], tokens[tokens.count - 1])
        return (2..<tokens.count).last { tokens[$0 - 1] == second && tokens[$0 - 2] == first }
    }
}
