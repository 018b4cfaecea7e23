/// What is often found under a file's name in place of the file: the answer of a failed download,
/// or another format.
package enum StandIn {
    /// The first bytes of each kind, and what to say of it.
    private static let kinds: [(starts: [String], meaning: String)] = [
        (
            ["version https://git-lfs", "version https://hawser"],
            "a pointer of Git LFS (large file storage) and not the file itself, which \"git lfs pull\" fetches"
        ),
        (
            ["<!doctype html", "<html", "<?xml"],
            "a web page and not the file itself: the download failed, or asked for a login; download it again"
        ),
        (["GGUF"], "a GGUF file of llama.cpp, which is given by its own path where a model is loaded"),
        (
            ["PK\u{3}\u{4}", "\u{80}\u{2}\u{8A}\n"],
            "a file of torch.save, a Python pickle, which can run any code when it is read: save it as safetensors"
        ),
        (["\u{1F}\u{8B}\u{8}"], "a gzip archive: unpack it"),
    ]

    /// What such a file is, in words that follow "found"; nil for any other.
    static func meaning(of bytes: UnsafeRawBufferPointer) -> String? {
        // A safetensors file may begin with any length, but then has this.
        if bytes.count > 8, bytes[8] == UInt8(ascii: "{"), bytes[7] == 0 { return nil }
        let start = bytes.prefix(256)
        let text = start.drop { [0xEF, 0xBB, 0xBF, 0x20, 0x09, 0x0A, 0x0D].contains($0) }
        return kinds.first { kind in
            kind.starts.contains { begins(text, with: $0) || begins(start, with: $0) }
        }?.meaning
    }

    /// Compares characters up to U+00FF with bytes, capital letters with small ones too.
    private static func begins(_ bytes: Slice<UnsafeRawBufferPointer>, with start: String) -> Bool {
        let characters = start.unicodeScalars
        return bytes.count >= characters.count
            && zip(bytes, characters).allSatisfy { byte, character in
                UInt32(byte) == character.value
                    || (0x41...0x5A).contains(byte) && UInt32(byte | 0x20) == character.value
            }
    }

    /// Refuses a file whose content is one of these.
    package static func refuse(_ bytes: UnsafeRawBufferPointer, path: String) throws(GraftError) {
        guard let meaning = meaning(of: bytes) else { return }
        throw GraftError(.corruptFile, "\(path): found \(meaning)")
    }
}
