import GraftAdapters
import GraftFormats
import GraftMatrix
import GraftModels
import GraftTensor
import GraftTestSupport
import Glibc
import Testing

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

    /// Architectures × methods, each with the tasks it does.
    private static let printed: String = {
        func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
        var table = row(["`model_type`"] + AdapterMethods.names.map { "`\($0)`" })
        table += row(Array(repeating: "---", count: 1 + AdapterMethods.names.count))
        for architecture in Architectures.names {
            table += row(
                ["`\(architecture)`"]
                    + AdapterMethods.names.map { method in
                        Cell.all
                            .filter {
                                $0.architecture == architecture && $0.method == method && $0.settings == nil
                                    && $0.precision == .float32
                            }
                            .map { words(for: $0.task) }.joined(separator: ", ")
                    })
        }
        return table
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
