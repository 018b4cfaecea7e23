import Glibc
import GraftFormats
import GraftTensor
import GraftTokenizers

/// A tokenizer file changed member by member, so that most still load: kinds of models swapped,
/// fields dropped or altered, stages added. Whatever loads encodes texts and pairs with offsets
/// within them, twice the same, and decodes what it encoded.
///
/// The input is a row of choices: the file to start from, the changes, and the texts.
@c(LLVMFuzzerTestOneInput)
public func fuzzPipeline(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    var choices = Choices(UnsafeBufferPointer(start: start, count: count))
    precondition(bases.count == 7, "a file to start from is missing: run from the repository's root")
    var file = bases[choices.below(bases.count)]
    for _ in 0..<choices.below(8) { change(&file, &choices, depth: 0) }
    guard let tokenizer = load(file) else { return 0 }
    let texts = (0..<3).map { _ in text(&choices) }
    for index in texts.indices {
        let pair = choices.below(2) == 0 ? nil : texts[(index + 1) % texts.count]
        check(tokenizer, file, texts[index], pair, options(&choices))
    }
    return 0
}

/// Reads choices from the input; zeros when it is used up.
private struct Choices {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        position += 1
        return bytes[position - 1]
    }

    mutating func below(_ count: Int) -> Int { count > 1 ? Int(byte()) % count : 0 }

    mutating func one<Element>(of elements: [Element]) -> Element { elements[below(elements.count)] }
}

private func load(_ file: JSON) -> Tokenizer? {
    file.serializedBytes(JSON.Style()).withUnsafeBytes { bytes in
        do throws(GraftError) {
            return try Tokenizer(tokenizer: bytes, source: "changed")
        } catch {
            precondition(!error.message.isEmpty, "a refusal without a reason")
            return nil
        }
    }
}

// MARK: Files

/// The seeds of the target Tokenizer, a file each up to a byte 0xFF, and the smallest real
/// tokenizer among the tests' data.
private let bases: [JSON] = {
    let data = getenv("GRAFT_TEST_DATA").map { String(cString: $0) } ?? "../shared"
    let seeds = ["bytelevel", "split", "spm", "suffix", "unigram", "wordpiece"].map {
        "Tests/Fuzz/seeds/Tokenizer/\($0)"
    }
    return (seeds + ["\(data)/models/stories260K/hf/tokenizer.json"]).compactMap { path in
        guard let file = try? MappedFile(path: path, copies: true) else { return nil }
        let end = file.bytes.firstIndex(of: 0xFF) ?? file.bytes.count
        return try? JSON(parsing: UnsafeRawBufferPointer(rebasing: file.bytes[..<end]), source: path)
    }
}()

/// The map of characters of the seed.
private let charsmap: String = {
    let file = bases.first { $0["model"]?["type"] == "Unigram" }
    return file?["normalizer"]?["normalizers"]?.arrayValue?.first?["precompiled_charsmap"]?.stringValue ?? ""
}()

private let stages: [(member: String, stage: JSON)] = [
    ("normalizer", ["type": "Lowercase"]), ("normalizer", ["type": "NFD"]), ("normalizer", ["type": "NFKC"]),
    ("normalizer", ["type": "StripAccents"]), ("normalizer", ["type": "Nmt"]), ("normalizer", ["type": "ByteLevel"]),
    ("normalizer", ["type": "Prepend", "prepend": "é"]),
    ("normalizer", ["type": "Precompiled", "precompiled_charsmap": .string(charsmap)]),
    ("normalizer", ["type": "Strip", "strip_left": true, "strip_right": true]),
    ("normalizer", ["type": "Replace", "pattern": ["Regex": "[^a-z]"], "content": "中 "]),
    (
        "normalizer",
        [
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": nil,
            "lowercase": true,
        ]
    ),
    ("pre_tokenizer", ["type": "Whitespace"]), ("pre_tokenizer", ["type": "BertPreTokenizer"]),
    ("pre_tokenizer", ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true]),
    ("pre_tokenizer", ["type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true]),
    (
        "pre_tokenizer",
        ["type": "Split", "pattern": ["Regex": "\\w(?=\\W)|\\b"], "behavior": "MergedWithNext", "invert": false]
    ),
    ("pre_tokenizer", ["type": "Digits", "individual_digits": true]),
    ("pre_tokenizer", ["type": "FixedLength", "length": 2]), ("pre_tokenizer", ["type": "UnicodeScripts"]),
    ("post_processor", ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true]),
    (
        "post_processor",
        [
            "type": "RobertaProcessing", "sep": ["a", 1], "cls": ["b", 2], "trim_offsets": true,
            "add_prefix_space": true,
        ]
    ),
    ("decoder", ["type": "ByteFallback"]), ("decoder", ["type": "ByteLevel"]), ("decoder", ["type": "Fuse"]),
    ("decoder", ["type": "WordPiece", "prefix": "##", "cleanup": true]),
    ("decoder", ["type": "BPEDecoder", "suffix": "</w>"]),
    ("decoder", ["type": "CTC", "pad_token": "a", "word_delimiter_token": "▁", "cleanup": true]),
    ("decoder", ["type": "Strip", "content": " ", "start": 1, "stop": 3]),
    ("decoder", ["type": "Replace", "pattern": ["Regex": "\\s*"], "content": "é"]),
]

private let sequenceKeys = [
    "normalizer": "normalizers", "pre_tokenizer": "pretokenizers", "post_processor": "processors",
    "decoder": "decoders",
]

private func value(_ choices: inout Choices) -> JSON {
    switch choices.below(12) {
    case 0: .null
    case 1: .bool(choices.below(2) == 0)
    case 2: .integer(choices.one(of: [0, 1, 2, 5, 100, -1, Int(Int32.max), Int(Int32.max) + 1, .max]))
    case 3:
        .string(
            String(repeating: choices.one(of: ["é", "</w>", "#", "中"]), count: choices.one(of: [1, 10, 300, 2_000])))
    case 4: .string(choices.one(of: ["WordPiece", "BPE", "WordLevel", "Unigram"]))
    case 5:
        .string(
            choices.one(of: ["Isolated", "Removed", "Contiguous", "MergedWithPrevious", "first", "always", "never"]))
    default:
        .string(
            choices.one(of: ["", "a", "é", "##", "</w>", "▁", " ", "[UNK]", "<0x61>", "\u{0}", "\u{301}", "~~", "b"]))
    }
}

/// Changes something in a value, or in what it holds.
private func change(_ file: inout JSON, _ choices: inout Choices, depth: Int) {
    switch file {
    case .object(var object):
        let keys = object.map { $0.key }
        if depth == 0, choices.below(3) == 0 {
            add(choices.one(of: stages), to: &object)
        } else if depth > 0, choices.below(6) == 0 {
            object[choices.one(of: members)] = value(&choices)
        } else if !keys.isEmpty {
            let key = choices.one(of: keys)
            if choices.below(12) == 0 {
                object[key] = nil
            } else if var inner = object[key] {
                change(&inner, &choices, depth: depth + 1)
                object[key] = inner
            }
        }
        file = .object(object)
    case .array(var elements):
        guard !elements.isEmpty else { return }
        let index = choices.below(elements.count)
        switch choices.below(4) {
        case 0: elements.remove(at: index)
        case 1: elements.append(elements[index])
        case 2: elements.swapAt(0, index)
        default: change(&elements[index], &choices, depth: depth + 1)
        }
        file = .array(elements)
    default: file = value(&choices)
    }
}

private let members = [
    "byte_fallback", "end_of_word_suffix", "continuing_subword_prefix", "unk_token", "fuse_unk", "ignore_merges",
    "type", "normalized",
    "lstrip", "rstrip", "single_word", "add_prefix_space", "trim_offsets", "max_input_chars_per_word", "content",
    "behavior", "invert", "unk_id", "vocab", "precompiled_charsmap",
]

private func add(_ addition: (member: String, stage: JSON), to file: inout JSONObject) {
    guard let key = sequenceKeys[addition.member] else { return }
    let present: [JSON] =
        switch file[addition.member] {
        case nil, .null: []
        case .object(let stage) where stage["type"] == "Sequence": stage[key]?.arrayValue ?? []
        case .some(let stage): [stage]
        }
    var sequence = JSONObject()
    sequence["type"] = "Sequence"
    sequence[key] = .array(present + [addition.stage])
    file[addition.member] = .object(sequence)
}

// MARK: Texts

private let pieces = [
    "a", "b", "Ab", " ", "  ", "é", "e\u{301}", "\u{323}", "中", "😀", "👩\u{200D}🚀", "İ", "ß", "ﬁ", "\u{FDFA}", "한",
    "\u{1112}\u{1161}", "\u{0}",
    "\u{FEFF}", "\u{85}", "\u{E0001}", "\u{10FFFF}", "\u{1CD0}", "<0x61>", "</w>", "##", "[UNK]", "<s>", "▁", "Ġ", "12",
    ".", "'s", "\n", "\u{7}",
]

private func text(_ choices: inout Choices) -> [UInt8] {
    var text: [UInt8] = []
    for _ in 0..<choices.below(24) { text += Array(choices.one(of: pieces).utf8) }
    // Some are not UTF-8.
    if choices.below(16) == 1 { text.append(choices.byte()) }
    return text
}

private func options(_ choices: inout Choices) -> Tokenizer.Options {
    switch choices.below(4) {
    case 0: Tokenizer.Options(shortening: .to(Truncation(maximumLength: 5, side: .left)))
    case 1: Tokenizer.Options(shortening: .none, addsSpecialTokens: false)
    default: Tokenizer.Options(shortening: .none)
    }
}

// MARK: What must hold

private func check(
    _ tokenizer: Tokenizer, _ file: JSON, _ text: [UInt8], _ pair: [UInt8]?, _ options: Tokenizer.Options
) {
    func encode() -> Encoding? {
        text.withUnsafeBufferPointer { text in
            guard let pair else { return try? tokenizer.encode(text, options) }
            return pair.withUnsafeBufferPointer { try? tokenizer.encode(text, pair: $0, options) }
        }
    }
    // Replacements that write more than they replace, one after another, make millions of tokens,
    // whose checks would say nothing that those of thousands do not, and take seconds.
    guard let encoding = encode(), encoding.ids.count < 50_000 else { return }
    precondition(isUTF8(text) && isUTF8(pair ?? []), "a text that is not UTF-8 is encoded")
    precondition(encode() == encoding, "encoding again gives something else")
    let texts = [text, pair ?? []]
    // Asked once: a few stages make thousands of tokens of a text, and a file may be long.
    let keepsOrder = !repeatsTexts(file)
    let keepsStarts = !mayOverrun(file) && !trims(file)
    var last: [(word: Int32, start: Int32)] = [(0, 0), (0, 0)]
    for (index, offsets) in encoding.offsets.enumerated() {
        let sequence = Int(encoding.sequenceIDs[index])
        guard sequence >= 0 else {
            precondition(offsets == TokenOffsets(0, 0) && encoding.wordIDs[index] == -1, "a place for an added token")
            continue
        }
        precondition(0 <= offsets.start && offsets.start <= offsets.end, "offsets out of order")
        precondition(Int(offsets.end) <= texts[sequence].count, "offsets beyond the text")
        for edge in [Int(offsets.start), Int(offsets.end)] where edge < texts[sequence].count {
            precondition(texts[sequence][edge] & 0xC0 != 0x80, "offsets within a character")
        }
        if keepsOrder {
            precondition(encoding.wordIDs[index] >= last[sequence].word, "words out of order")
            precondition(!keepsStarts || offsets.start >= last[sequence].start, "tokens out of order")
        }
        last[sequence] = (encoding.wordIDs[index], offsets.start)
    }
    for skips in [true, false] { _ = try? tokenizer.decode(encoding.ids, skipSpecialTokens: skips) }
    guard var stream = try? TextStream(tokenizer) else { return }
    for id in encoding.ids.prefix(32) { _ = try? stream.append(id) }
    _ = try? stream.finish()
}

/// Whether what a prefix or suffix falls back to may stand beyond its word.
private func mayOverrun(_ file: JSON) -> Bool { file["model"]?["byte_fallback"] == true }

/// Whether offsets lose the spaces of their tokens, of which nothing may be left but the end.
private func trims(_ file: JSON) -> Bool {
    file["post_processor"]?.serialized().contains("trim_offsets") ?? false
}

/// Whether a template may name a text twice, whose words then come twice.
private func repeatsTexts(_ file: JSON) -> Bool {
    file["post_processor"]?.serialized().contains("TemplateProcessing") ?? false
}

private func isUTF8(_ text: [UInt8]) -> Bool { String(validating: text, as: UTF8.self) != nil }
