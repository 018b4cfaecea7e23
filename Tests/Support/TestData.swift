import GraftTensor
import Glibc

/// The real models, tokenizers and data sets that tests read and the repository does not hold;
/// CONTRIBUTING.md lists them.
package enum TestData {
    /// What `make models` fetches: GRAFT_TEST_MODELS, or build/models.
    package static func model(_ name: String) throws(GraftError) -> String {
        try path(name, below: folder("GRAFT_TEST_MODELS", orElse: "build/models"), remedy: "run make models")
    }

    /// Everything else: GRAFT_TEST_DATA, or ../shared.
    package static func path(_ name: String) throws(GraftError) -> String {
        try path(
            name, below: folder("GRAFT_TEST_DATA", orElse: "../shared"),
            remedy: "CONTRIBUTING.md says what belongs there, and that GRAFT_TEST_DATA names another folder")
    }

    private static func folder(_ variable: String, orElse name: String) -> String {
        getenv(variable).map { String(cString: $0) } ?? "\(Goldens.root)/\(name)"
    }

    private static func path(_ name: String, below folder: String, remedy: String) throws(GraftError) -> String {
        let path = "\(folder)/\(name)"
        guard access(path, R_OK) == 0 else { throw GraftError(.notFound, "the tests need \(path): \(remedy)") }
        return path
    }
}
