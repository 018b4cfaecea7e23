import GraftFormats
import GraftTensor

/// The most tokens of a row that an adapter was trained on: where it is used, rows are cut at it as
/// well.
///
/// It travels in the metadata of the weights file, which neither PEFT nor AdapterHub reads.
enum TrainedLength {
    private static let key = "maximum_length"

    static func metadata(_ length: Int?) -> SafetensorsWriter.Metadata { length.map { [(key, String($0))] } ?? [] }

    static func read(_ weights: [SafetensorsFile]) throws(GraftError) -> Int? {
        for file in weights {
            guard let text = file.metadata[key] else { continue }
            guard let length = Int(text), length > 0, length < 1 << 30 else {
                throw GraftError(
                    .corruptFile,
                    "\(file.path): metadata \"\(key)\": expected a number of tokens from 1, found "
                        + JSON.string(text).briefText)
            }
            return length
        }
        return nil
    }
}
