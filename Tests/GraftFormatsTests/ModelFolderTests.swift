import Glibc
import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@Suite("Model folders")
struct ModelFolderTests {
    private static let values: [UInt8] = [0, 0, 128, 63, 0, 0, 0, 64]

    /// A safetensors file of float32 tensors [2] with these names.
    private func shard(_ names: [String]) throws -> [UInt8] {
        try Self.values.withUnsafeBytes { bytes in
            try SafetensorsWriter.serialize(tensors: names.map { ($0, .float32, [2], bytes) })
        }
    }

    private func folder(config: String? = #"{"model_type": "bert"}"#) throws -> TestFolder {
        let folder = try TestFolder()
        if let config { _ = try folder.write(config, to: "config.json") }
        return folder
    }

    private func message(_ folder: TestFolder) throws -> String {
        let message = try failure(of: { try ModelFolder(path: folder.path) }).message
        return message.split(separator: folder.path, omittingEmptySubsequences: false).joined(separator: "DIR")
    }

    /// A folder with an index, shards "a" with tensors x, y and "b" with tensor z, and changes to
    /// them.
    private func sharded(
        index: String = #"{"weight_map": {"x": "a", "y": "a", "z": "b"}, "metadata": {"total_size": 24}}"#,
        a: [String] = ["x", "y"], b: [String]? = ["z"]
    ) throws -> TestFolder {
        let folder = try folder()
        _ = try folder.write(index, to: "model.safetensors.index.json")
        _ = try folder.write(try shard(a), to: "a")
        if let b { _ = try folder.write(try shard(b), to: "b") }
        return folder
    }

    @Test("A folder with one file gives its configuration and its tensors")
    func single() throws {
        let folder = try folder()
        _ = try folder.write(try shard(["w", "a"]), to: "model.safetensors")
        let model = try ModelFolder(path: folder.path)
        #expect(try model.config.string("model_type") == "bert")
        #expect(model.tensorNames == ["a", "w"])
        #expect(try model.requireRows("w", shape: [2]).bytes.elementsEqual(Self.values))
        #expect(model.entry("absent") == nil)
        let shape = try failure(of: { try model.requireEntry("w", shape: [2, 1]) })
        #expect(shape.code == .incompatible)
        #expect(shape.message == "\(folder.path)/model.safetensors: tensor \"w\": expected shape [2, 1], found [2]")
        let missing = try failure(of: { try model.requireEntry("v", shape: [3]) })
        #expect(missing == GraftError(.notFound, "\(folder.path): the tensor \"v\" [3] is missing"))
    }

    @Test("A sharded folder gives the tensors of all its files")
    func shards() throws {
        let folder = try sharded()
        let model = try ModelFolder(path: folder.path)
        #expect(model.tensorNames == ["x", "y", "z"])
        #expect(try model.requireRows("z", shape: [2]).file.path == folder.path + "/b")
        #expect(try model.requireRows("z", shape: [2]).bytes.elementsEqual(Self.values))
    }

    @Test("An index without its shards, or with a tensor twice, is refused")
    func lyingIndex() throws {
        #expect(
            try message(sharded(b: nil))
                == "DIR/model.safetensors.index.json: names the file \"b\", which is missing")
        #expect(try message(sharded(b: ["x", "z"])) == "the tensor \"x\" is in DIR/a and in DIR/b")
    }

    @Test("Which tensors there are the shards say, whatever the index does")
    func looseIndex() throws {
        let otherFolder = try sharded(b: ["other"])
        let movedFolder = try sharded(a: ["x"], b: ["y", "z"])
        let other = try ModelFolder(path: otherFolder.path)
        #expect(other.tensorNames == ["x", "y", "other"])
        let missing = try failure(of: { try other.requireEntry("z", shape: [2]) })
        #expect(missing.code == .notFound && missing.message.contains("\"z\" [2] is missing"))
        let moved = try ModelFolder(path: movedFolder.path)
        #expect(try moved.requireRows("y", shape: [2]).file.path.hasSuffix("/b"))
    }

    @Test(
        "An index cannot lead out of its folder",
        arguments: ["../x", "/etc/passwd", "..", ".", "", "sub/a", "a/", "a\\u0000b"])
    func outside(name: String) throws {
        let folder = try sharded(index: #"{"weight_map": {"x": "\#(name)"}}"#)
        let message = try message(folder)
        #expect(
            message.hasPrefix(
                "DIR/model.safetensors.index.json: weight_map.x: expected the name of a file in the model's folder"),
            "\(message)")
    }

    @Test("An index of another form is refused")
    func malformedIndex() throws {
        #expect(
            try message(sharded(index: #"{"weight_map": {"x": 1}}"#))
                == "DIR/model.safetensors.index.json: weight_map.x: expected the name of a file, found the number 1")
        #expect(
            try message(sharded(index: #"{"weight_map": []}"#))
                == "DIR/model.safetensors.index.json: weight_map: expected an object, found an array")
        #expect(
            try message(sharded(index: "{}"))
                == "DIR/model.safetensors.index.json: weight_map: expected an object, it is missing")
    }

    @Test("What is no model folder is refused with what is missing")
    func noModel() throws {
        let missing = try failure(of: { try ModelFolder(path: "/nowhere") })
        #expect(missing == GraftError(.notFound, "/nowhere: expected a model folder, found nothing"))
        let file = try failure(of: { try ModelFolder(path: Repository.path + "/Package.swift") })
        #expect(file.message.contains("Package.swift: expected a model folder, found a file; give the folder"))
        #expect(
            try message(folder(config: nil)).hasPrefix("DIR: no config.json: the folder is empty; a model folder has"))
        #expect(try message(folder(config: "[]")) == "DIR/config.json: expected an object, found an array")
        #expect(
            try message(folder(config: "{"))
                == "DIR/config.json, line 1, column 2: expected a key in double quotes, found the end of the file")
        #expect(
            try message(folder()).hasPrefix(
                "DIR: no weights: neither model.safetensors nor model.safetensors.index.json: the folder has "
                    + "\"config.json\"; a model folder has"))
    }

    @Test(
        "A folder of another format says which, whether or not it has a configuration",
        arguments: [
            ("model-q4.gguf", "llama.cpp"), ("MODEL.GGUF", "llama.cpp"), ("model.onnx", "ONNX"), ("onnx", "ONNX"),
            ("tf_model.h5", "framework"), ("flax_model.msgpack", "framework"), ("pytorch_model.bin", "pickle"),
            ("pytorch_model-00001-of-00002.bin", "pickle"), ("consolidated.00.pth", "pickle"),
        ])
    func otherFormats(name: String, words: String) throws {
        for config in [nil, #"{"model_type": "bert"}"#] {
            let folder = try folder(config: config)
            _ = try folder.write("", to: name)
            _ = try folder.write("", to: "training_args.bin")
            let error = try failure(of: { try ModelFolder(path: folder.path) })
            #expect(error.code == .unsupported)
            #expect(error.message.contains(name) && error.message.contains(words), "\(error.message)")
            #expect(error.message.contains("a model folder has config.json"), "\(error.message)")
        }
        let alone = try self.folder(config: nil)
        let file = try alone.write("", to: name)
        let error = try failure(of: { try ModelFolder(path: file) })
        #expect(error.code == .unsupported && error.message.contains(words), "\(error.message)")
    }

    @Test("What training leaves is not taken for a model, and an adapter folder is named as one")
    func otherFolders() throws {
        let left = try folder(config: nil)
        _ = try left.write("", to: "training_args.bin")
        #expect(try message(left).contains("the folder has \"training_args.bin\""))
        _ = try left.write("", to: "adapter_config.json")
        #expect(try message(left).contains("this is an adapter folder"))
    }

    @Test(
        "What a failed download leaves in a file's place is recognised, in every file",
        arguments: [
            ("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 7\n", "Git LFS"),
            ("<!DOCTYPE html>\n<html lang=\"en\">", "web page"), ("\u{FEFF}\n <HTML>", "web page"),
            ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "web page"),
            ("GGUF\u{3}\0\0\0", "GGUF"), ("PK\u{3}\u{4}\0\0\u{8}\u{8}\0\0", "pickle"),
        ])
    func standIns(content: String, words: String) throws {
        let index = "model.safetensors.index.json"
        for name in ["config.json", "model.safetensors", index, "a"] {
            let folder = try sharded()
            if name == "model.safetensors" { _ = try folder.write(try shard(["x"]), to: name) }
            _ = try folder.write(content, to: name)
            let error = try failure(of: { try ModelFolder(path: folder.path) })
            #expect(error.code == .corruptFile)
            #expect(error.message.contains(name) && error.message.contains(words), "\(error.message)")
        }
    }

    @Test("Text in place of tensors is shown")
    func textForTensors() throws {
        let folder = try folder()
        _ = try folder.write("Entry not found", to: "model.safetensors")
        #expect(
            try message(folder)
                == "DIR/model.safetensors: expected 8 bytes of header length, found the text \"Entry not found\"")
    }

    @Test(
        "A pickle alone is refused by name, with advice",
        arguments: ["pytorch_model.bin", "pytorch_model.bin.index.json"])
    func pickle(name: String) throws {
        let folder = try folder()
        _ = try folder.write("", to: name)
        let error = try failure(of: { try ModelFolder(path: folder.path) })
        #expect(error.code == .unsupported)
        #expect(error.message.contains(name) && error.message.contains("save_pretrained"))
    }

    @Test("A folder where a file should be is refused")
    func folderForFile() throws {
        let folder = try folder()
        #expect(mkdir(folder.path + "/model.safetensors", 0o755) == 0)
        #expect(try message(folder) == "DIR/model.safetensors: expected a file, found a folder")
    }

    @Test("Real models open")
    func realModels() throws {
        let model = try ModelFolder(path: TestData.path("models/me5-small-zh-en-pruned"))
        let hidden = try model.config.int("hidden_size")
        let words = try model.config.int("vocab_size")
        let name = try #require(model.tensorNames.first { $0.hasSuffix("word_embeddings.weight") })
        #expect(try model.requireEntry(name, shape: [words, hidden]).shape == [words, hidden])
        #expect(
            try ModelFolder(path: TestData.path("models/stories260K/hf")).config.string("model_type") == "llama")
    }
}
