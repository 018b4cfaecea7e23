import GraftFormats
import GraftTensor

/// Losses that are the sum of what each is of the vectors' first numbers, some of them, so that a
/// vector can be cut there (Kusupati et al. 2022; sentence-transformers' `MatryoshkaLoss`).
enum Matryoshka {
    static let setting = Setting.counts(
        "dimensions", in: 1...1 << 20,
        "Widths that vectors may be cut to: the loss is the sum of those of their first numbers; none is the whole vector's."
    )

    /// The widths, of vectors that have so many numbers.
    static func widths(_ settings: Settings, of width: Int) throws(GraftError) -> [Int] {
        let widths = settings.counts(setting)
        for given in widths where given > width {
            throw GraftError(
                .incompatible, "loss_settings: dimensions has \(given); the model's vectors have \(width) numbers")
        }
        return widths.isEmpty ? [width] : widths
    }
}
