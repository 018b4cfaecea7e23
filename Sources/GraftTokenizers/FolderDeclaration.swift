import GraftFormats
import GraftTensor

/// What the files beside `tokenizer.json` say about encoding a text: how long it may be, and
/// whether it is in lower case.
///
/// The length is the first that is said of `max_seq_length` in sentence-transformers' settings,
/// `model_max_length` in `tokenizer_config.json`, and `truncation` in `tokenizer.json`; so
/// sentence-transformers and transformers have it.
struct FolderDeclaration {
    private var maximumLength: Int?
    /// `truncation_side`.
    private var side: Truncation.Side?
    private var lowercases = false

    init() {}

    /// - Parameter configuration: `tokenizer_config.json`.
    init(_ folder: InputFolder, configuration: JSONObject?) throws(GraftError) {
        for file in CompanionFiles.sentenceSettings {
            guard let settings = try folder.optionalObject(file), settings.count > 0 else { continue }
            maximumLength = try Self.length(settings, "max_seq_length")
            lowercases = try settings.optionalBool("do_lower_case") ?? false
            break
        }
        guard let configuration else { return }
        if maximumLength == nil { maximumLength = try Self.length(configuration, "model_max_length") }
        if let name = try configuration.optionalString("truncation_side") {
            switch name {
            case "left": side = .left
            case "right": side = .right
            default: throw configuration.unexpected("truncation_side", expected: "left or right")
            }
        }
    }

    /// transformers writes 10³⁰ where there is no limit: what no row reaches is none.
    private static func length(_ settings: JSONObject, _ key: String) throws(GraftError) -> Int? {
        guard let number = try settings.optionalDouble(key) else { return nil }
        guard number >= 1, number == number.rounded() else {
            throw settings.unexpected(key, expected: "a whole number from 1")
        }
        return number < Double(Tokenizer.unlimited) ? Int(number) : nil
    }

    func complete(_ parts: inout TokenizerParts) {
        let side = side ?? parts.truncation?.side ?? .right
        parts.truncationSide = side
        if let maximumLength {
            parts.truncation = Truncation(maximumLength: maximumLength, side: side)
        } else {
            parts.truncation?.side = side
        }
        if lowercases, !parts.normalizers.contains(where: { ($0 as? CharacterNormalizer)?.isLowercase == true }) {
            parts.normalizers.insert(CharacterNormalizer.lowercase(), at: 0)
        }
    }
}
