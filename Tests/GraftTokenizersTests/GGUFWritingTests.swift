import Glibc
import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTokenizers

@Suite("Tokenizers that are written into GGUF files")
struct GGUFWritingTests {
    private static let texts = [
        "Hello World", "  two  spaces", "It's 12345 apples, isn't it?\n\n\tYes!", "Ünïcode über naïve café", "日本語のテキスト",
        "😀 emoji 👍🏽", "a", "", " ", "x = {'key': [1, 2.5]} # comment", "THE END.",
    ]

    /// A folder of a tokenizer alone.
    private func folder(_ name: String, _ configuration: String = "{}") throws -> String {
        let folder = try Goldens.temporaryFolder()
        symlink(try TestFiles.path(name), folder + "/tokenizer.json")
        try AtomicFile.write(configuration, to: folder + "/tokenizer_config.json")
        return folder
    }

    private func write(_ folder: String, size: Int, endTokens: [Int32] = []) throws -> String {
        var metadata = try Tokenizer.ggufMetadata(
            InputFolder(path: folder), vocabularySize: size, endTokens: endTokens)
        metadata.add("general.architecture", .string("none"))
        let path = folder + "/written.gguf"
        try GGUFWriter(metadata, []).write(to: path)
        return path
    }

    @Test("The same tokens are read from the file", arguments: ["minilm", "gpt2", "qwen", "stories260k"])
    func same(name: String) throws {
        let folder = try folder(name)
        let own = try Tokenizer(folder: folder)
        let read = try Tokenizer(folder: write(folder, size: own.largestID + 3))
        for text in Self.texts {
            for addsSpecialTokens in [true, false] {
                let options = Tokenizer.Options(shortening: .none, addsSpecialTokens: addsSpecialTokens)
                let (ids, expected) = (try read.encode(text, options).ids, try own.encode(text, options).ids)
                #expect(ids == expected, "\(text.debugDescription)")
                // BERT's decoding says of spaces what its class does.
                if name != "minilm" { #expect(try read.decode(ids) == own.decode(ids)) }
            }
        }
        #expect(read.token(for: Int32(own.largestID + 1)) == "[PAD\(own.largestID + 1)]")
    }

    @Test("Roles and chat templates go with it")
    func roles() throws {
        let template = "{{ messages[0]['content'] }}{{ eos_token }}"
        let configuration: JSON = [
            "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "chat_template": .string(template),
        ]
        let folder = try folder("gpt2", configuration.serialized())
        let file = try GGUFFile(path: try write(folder, size: 50_257, endTokens: [50_256, 7]))
        #expect(try file.header.optionalInt("tokenizer.ggml.eos_token_id") == 50_256)
        #expect(try file.header.optionalInt("tokenizer.ggml.eot_token_id") == 7)
        #expect(try file.header.optionalInt("tokenizer.ggml.padding_token_id") == 50_256)
        #expect(try file.header.optionalString("tokenizer.ggml.pre") == "gpt-2")
        #expect(try file.header.optionalString("tokenizer.chat_template") == template)
        #expect(try Tokenizer(gguf: file).specialTokens.end == 50_256)
    }

    @Test("What a file does not say of a tokenizer is refused by name")
    func refused() throws {
        for (name, words) in [("marian", "WordPiece"), ("me5", "byte-pair encoding")] {
            let folder = try folder(name)
            let error = #expect(throws: GraftError.self) { try write(folder, size: 1 << 19) }
            #expect(error?.code == .unsupported && error?.message.contains(words) == true)
        }
        let small = #expect(throws: GraftError.self) { try write(try folder("gpt2"), size: 1000) }
        #expect(small?.code == .incompatible)
    }
}
