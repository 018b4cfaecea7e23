import GraftTemplates

/// The text of a conversation whose last message goes on.
enum ContinuedText {
    /// Up to a mark that was put behind what the last message says; nil where either is not there.
    ///
    /// A template that takes white space from the end of a message has taken the mark's own, too:
    /// then there is none before it either.
    static func cut(_ text: [UInt8], at mark: String, after said: String) -> [UInt8]? {
        let whole = Array(mark.utf8)
        let bare = Template.stripped(whole)
        let content = Template.stripped(Array(said.utf8))
        guard last(content, in: text) != nil, let place = last(bare, in: text) else { return nil }
        let isWhole = text[place...].starts(with: whole)
        let start = Array(text[..<place])
        return isWhole ? start : Template.stripped(start, left: false)
    }

    private static func last(_ part: [UInt8], in text: [UInt8]) -> Int? {
        var place = text.count - part.count
        while place >= 0 {
            if text[place...].starts(with: part) { return place }
            place -= 1
        }
        return nil
    }
}
