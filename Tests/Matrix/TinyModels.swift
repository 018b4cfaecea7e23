import Glibc
import GraftAdapters
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport

/// The models in `Tests/Goldens`, loaded once, and found by what they are rather than by their
/// names.
package enum TinyModels {
    private static let loaded: [(model: Model, precision: Precision)] = {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(Goldens.path("*/*/config.json"), 0, nil, &found) == 0, let paths = found.gl_pathv else { return [] }
        var models: [(Model, Precision)] = []
        for case let path? in UnsafeBufferPointer(start: paths, count: Int(found.gl_pathc)) {
            let folder = String(cString: path).split(separator: "/", omittingEmptySubsequences: false).dropLast()
            for precision in Precision.allCases {
                // Folders of models that this build refuses are for other tests.
                guard
                    let model = try? Architectures.load(path: folder.joined(separator: "/"), precision: precision)
                else { continue }
                models.append((model, precision))
            }
        }
        return models
    }()

    /// The first model of an architecture whose checkpoint does a task by itself, without an
    /// adapter, or else has a head of rows, or of tokens, like the task's.
    package static func model(_ architecture: String, _ task: GraftAdapters.Task?, _ precision: Precision) throws
        -> Model
    {
        let own = loaded.filter {
            $0.model.architecture == architecture && $0.precision == precision && takes(task, $0.model)
        }.map(\.model)
        let model =
            own.first { does(task, $0) }
            ?? own.first { $0.problem == nil && $0.ownTask?.unit != nil && $0.ownTask?.unit == task?.unit }
        guard let model else {
            throw GraftError(
                .notFound,
                "no model of model_type \"\(architecture)\" for the task \(task?.name ?? "none") is in Tests/Goldens: add one to a maker in "
                    + "Tests/Goldens/makers, which writes config.json and model.safetensors of a few thousand numbers to "
                    + "Tests/Goldens/\(architecture)-tiny, and run make_goldens.py")
        }
        return model
    }

    /// Whether models of an architecture read rows with an encoder and write others.
    static func readSources(_ architecture: String) -> Bool {
        loaded.contains { $0.model.architecture == architecture && $0.model.decoderTokens != nil }
    }

    /// Whether an adapter of a task, or of none, may be put on a model.
    private static func takes(_ task: GraftAdapters.Task?, _ model: Model) -> Bool {
        guard let task else { return model.decoderTokens == nil }
        return (try? model.requireOutputs(of: task)) != nil
    }

    private static func does(_ task: GraftAdapters.Task?, _ model: Model) -> Bool {
        guard let task else { return true }
        switch task.head {
        case .dense: return model.ownTask == task
        case .vocabulary:
            return model.languageHead != nil && (model.decoderTokens != nil) == (task == .sequenceToSequence)
        case .maskedVocabulary: return model.maskedHead != nil
        case .embedding: return true
        }
    }
}
