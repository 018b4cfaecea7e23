import Glibc
import GraftFormats
import GraftTensor

/// What a GGUF file divides the frequencies of rotary positions by, where a checkpoint has the
/// settings that these follow from (Llama 3.1 and its successors).
struct RotaryFactors {
    static let tensor = "rope_freqs.weight"

    let factors: [Float]
    private let path: String

    /// The lengths of text that models with such settings were first trained on.
    private static let originalLengths = [8192, 4096, 16384, 32768, 2048]
    private static let (low, high) = (1.0, 4.0)

    /// Those of Llama 3.1's rotary positions; nil of any others.
    ///
    /// - Parameter path: for messages.
    init?(_ settings: RotarySettings, headWidth: Int, path: String) {
        guard case .llama3(let factor, let low, let high, let length) = settings.scaling else { return nil }
        self.path = path
        factors = (0..<headWidth / 2).map { index in
            Float(
                Self.factor(
                    base: settings.base, index: index, headWidth: headWidth, factor: Double(factor), low: Double(low),
                    high: Double(high), length: Double(length)))
        }
    }

    /// nil where the file has none.
    init?(_ file: GGUFFile) throws(GraftError) {
        guard let entry = file.header.entry(Self.tensor) else { return nil }
        path = file.path
        guard entry.type == .float32, entry.shape.count == 1 else {
            throw GraftError(
                .corruptFile,
                "\(file.path): tensor \"\(Self.tensor)\": expected F32 of one size, found \(entry.type.name) \(entry.shape)"
            )
        }
        factors = file.file.withBytes { bytes in
            (0..<entry.shape[0]).map { index in
                let bits = bytes.loadUnaligned(fromByteOffset: entry.range.lowerBound + 4 * index, as: UInt32.self)
                return Float(bitPattern: UInt32(littleEndian: bits))
            }
        }
    }

    /// `rope_scaling` of which these are the factors.
    func scaling(base: Double, headWidth: Int) throws(GraftError) -> JSON? {
        if factors.allSatisfy({ $0 == 1 }) { return nil }
        let factor = Double(factors.last ?? 1)
        for length in Self.originalLengths where factors.count == headWidth / 2 {
            let expected = factors.indices.map { index in
                Self.factor(
                    base: base, index: index, headWidth: headWidth, factor: factor, low: Self.low, high: Self.high,
                    length: Double(length))
            }
            guard zip(factors, expected).allSatisfy({ abs(Double($0) - $1) < 1e-4 * $1 }) else { continue }
            return [
                "rope_type": "llama3", "factor": .number("\(Float(factor))"), "low_freq_factor": .number("\(Self.low)"),
                "high_freq_factor": .number("\(Self.high)"), "original_max_position_embeddings": .integer(length),
            ]
        }
        throw GraftError(
            .unsupported,
            "\(path): tensor \"\(Self.tensor)\" has factors that are not those of Llama 3.1's rotary positions")
    }

    /// What Llama 3.1 divides frequency `index` by.
    private static func factor(
        base: Double, index: Int, headWidth: Int, factor: Double, low: Double, high: Double, length: Double
    ) -> Double {
        let wavelength = 2 * Double.pi * pow(base, Double(2 * index) / Double(headWidth))
        if wavelength < length / high { return 1 }
        if wavelength > length / low { return factor }
        let share = (length / wavelength - low) / (high - low)
        return 1 / ((1 - share) / factor + share)
    }
}
