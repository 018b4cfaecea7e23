import GraftTokenizers

/// Which texts a constraint allows.
indirect enum TextPattern: Sendable {
    case bytes([UInt8])
    /// One character of a set.
    case characters(ScalarSet)
    case sequence([TextPattern])
    /// Nothing at all where it has no alternatives.
    case choice([TextPattern])
    case repeated(TextPattern, least: Int, most: Int?)
    /// What the grammar's rule of this number allows, which may call others, and itself.
    case rule(Int)

    static func text(_ text: String) -> TextPattern { .bytes(Array(text.utf8)) }
    static func optional(_ pattern: TextPattern) -> TextPattern { .repeated(pattern, least: 0, most: 1) }
    static func any(_ pattern: TextPattern) -> TextPattern { .repeated(pattern, least: 0, most: nil) }
}
