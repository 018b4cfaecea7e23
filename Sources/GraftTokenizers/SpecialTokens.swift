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

    init(_ names: SpecialTokenNames, idOf: (String) -> Int32?) {
        padding = names["pad_token"].flatMap(idOf)
        unknown = names["unk_token"].flatMap(idOf)
        classification = names["cls_token"].flatMap(idOf)
        separator = names["sep_token"].flatMap(idOf)
        mask = names["mask_token"].flatMap(idOf)
        beginning = names["bos_token"].flatMap(idOf)
        end = names["eos_token"].flatMap(idOf)
    }
}

/// How the special tokens are spelled: as files say it, else BERT's names.
struct SpecialTokenNames {
    private var names: [String: String] = [
        "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]",
    ]

    init() {}

    /// - Parameters:
    ///   - files: contents of the files, the one that counts most last.
    ///   - standard: names where no file has one.
    init(_ files: [JSONObject], standard: [String: String] = [:]) throws(GraftError) {
        names.merge(standard) { $1 }
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
