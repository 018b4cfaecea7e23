import GraftAdapters
import GraftFormats
import GraftMatrix
import GraftTensor
import GraftTestSupport
import Glibc
import Testing

@testable import GraftModels

/// The README says what the registries list. `make readme` (GRAFT_WRITE_README=1) writes it there.
@Suite struct ReadmeTests {
    private static let start = "<!-- What the tests of the matrix cover; make readme writes it. -->\n"
    private static let end = "<!-- The matrix ends. -->\n"

    @Test("The README's table of what works is that of the registries")
    func table() throws {
        let path = Goldens.root + "/README.md"
        let text = String(decoding: try MappedFile.contents(of: path), as: UTF8.self)
        let start = try #require(text.endIndex(of: Self.start), "README.md lacks \(Self.start)")
        let end = try #require(text[start...].startIndex(of: Self.end), "README.md lacks \(Self.end)")
        if getenv("GRAFT_WRITE_README") != nil {
            try AtomicFile.write(text[..<start] + Self.printed + text[end...], to: path)
        } else {
            #expect(text[start..<end] == Self.printed, "the table is not what the registries list: run make readme")
        }
    }

    /// The architectures, those together that have the same methods for the same tasks.
    private static let printed: String = {
        var kinds: [(what: String, architectures: [String])] = []
        for architecture in Architectures.names {
            let cells = Cell.all.filter {
                $0.architecture == architecture && $0.settings == nil && $0.precision == .float32
            }
            func tasks(_ method: String) -> [String] {
                cells.filter { $0.method == method }.map { words(for: $0.task) }
            }
            let methods = AdapterMethods.names.filter { !tasks($0).isEmpty }
            let files = "Hugging Face" + (Architectures.dialect(of: architecture) == nil ? "" : ", GGUF")
            var said: [[String]] = []
            for own in methods.map(tasks) where !said.contains(own) {
                said.append(own)
                let which = methods.filter { tasks($0) == own }.map { "`\($0)`" }
                add(architecture, [files, which.joined(separator: ", "), own.joined(separator: ", ")])
            }
        }
        func add(_ architecture: String, _ columns: [String]) {
            let what = columns.joined(separator: " | ") + " |\n"
            if let known = kinds.firstIndex(where: { $0.what == what }) {
                kinds[known].architectures.append(architecture)
            } else {
                kinds.append((what, [architecture]))
            }
        }
        return "| `model_type` | files | methods | what they do |\n| --- | --- | --- | --- |\n"
            + kinds.map { "| " + $0.architectures.map { "`\($0)`" }.joined(separator: ", ") + " | " + $0.what }.joined()
    }()

    private static func words(for task: GraftAdapters.Task?) -> String {
        guard let task else { return "embeddings, hidden states" }
        return task.name.split(separator: "_").joined(separator: " ") + (task.head == .vocabulary ? ", generation" : "")
    }
}

extension StringProtocol {
    /// Where the first occurrence of a text begins.
    fileprivate func startIndex(of text: String) -> Index? { indices.first { self[$0...].hasPrefix(text) } }

    /// Where the first occurrence of a text ends.
    fileprivate func endIndex(of text: String) -> Index? {
        startIndex(of: text).map { index($0, offsetBy: text.count) }
    }
}
