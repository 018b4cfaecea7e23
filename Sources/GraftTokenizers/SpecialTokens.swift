import GraftFormats
import GraftTensor

/// Ids of the tokens that play a part of their own; nil where the tokenizer has none.
package struct SpecialTokens: Equatable, Sendable {
    package let padding: Int32?
    package let unknown: Int32?
    package let classification: Int32?
    package let separator: Int32?
    package let mask: Int32?
    package let beginning: Int32?
    package let end: Int32?

    init(_ names: SpecialTokenNames, _ id: (String) -> Int32?) {
        func id(_ key: String) -> Int32? { names[key].flatMap(id) }
        padding = id("pad_token")
        unknown = id("unk_token")
        classification = id("cls_token")
        separator = id("sep_token")
        mask = id("mask_token")
        beginning = id("bos_token")
        end = id("eos_token")
    }
}

/// How the special tokens are spelled: from `tokenizer_config.json`, then `special_tokens_map.json`, else BERT's names.
struct SpecialTokenNames {
    private var names: [String: String] = [
        "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]",
    ]

    init() {}

    /// - Parameter files: contents of the files, the one that counts most last.
    init(_ files: [JSONObject]) throws(GraftError) {
        for file in files {
            for key in ["pad_token", "unk_token", "cls_token", "sep_token", "mask_token", "bos_token", "eos_token"] {
                switch file[key] {
                case .string(let name): names[key] = name
                case .object(let token): names[key] = try token.string("content")
                case nil, .null: break
                default: throw file.unexpected(key, expected: "a token or an object with its content")
                }
            }
        }
    }

    subscript(key: String) -> String? { names[key] }
}
