import GraftFormats
import GraftTensor

/// What a model's folder lacks for sentence-transformers to make the vectors that Graft makes.
package enum SentenceFolder {
    /// Under the names that every release of sentence-transformers knows.
    private static let modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]

    /// Modules where the folder names none, which are then the mean of the states and a length of
    /// 1; and the length at which texts are cut, among the settings that there are.
    ///
    /// - Parameter maximumLength: in tokens; nil: what the folder says.
    package static func files(
        missingIn folder: String, hiddenSize: Int, maximumLength: Int?
    ) throws(GraftError) -> [(name: String, content: String)] {
        var files: [(name: String, content: String)] = []
        func add(_ name: String, _ content: JSON) { files.append((name, content.serialized(indent: 2) + "\n")) }
        if FileKind.of(folder + "/modules.json") == .nothing {
            let list = modules.enumerated().map { place, module -> JSON in
                [
                    "idx": .integer(place), "name": .string(String(place)), "path": .string(module.0),
                    "type": .string("sentence_transformers.models." + module.1),
                ]
            }
            add(
                "1_Pooling/config.json",
                ["word_embedding_dimension": .integer(hiddenSize), "pooling_mode_mean_tokens": true])
            add("modules.json", .array(list))
        }
        if let maximumLength {
            var settings = JSONObject()
            let input = InputFolder(path: folder)
            for name in CompanionFiles.sentenceSettings where settings.count == 0 {
                settings = try input.optionalObject(name) ?? settings
            }
            settings["max_seq_length"] = .integer(maximumLength)
            // The first is read before all others.
            add(CompanionFiles.sentenceSettings[0], .object(settings))
        }
        return files
    }
}
