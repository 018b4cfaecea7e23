import Glibc
import GraftFormats
import GraftLayers
import GraftTensor

/// How heads turn by positions, as config.json says it: transformers 5 puts all of it into
/// `rope_parameters`, transformers 4 writes `rope_theta` and `rope_scaling`. Where a file has both,
/// it means what transformers 5 makes of it.
struct RotarySettings: Equatable {
    let base: Double
    let scaling: Rotary.Scaling
    /// The share of a head's numbers that turn.
    let share: Double

    /// Those of all layers.
    ///
    /// - Parameters:
    ///   - usual: the base where nothing is said.
    ///   - usualShare: which share of a head turns where nothing is said; nil where all turns.
    init(
        _ reader: ConfigurationReader, base usual: Double, maximumLength: Int, usualShare: Double? = nil
    ) throws(GraftError) {
        let newer = try reader.config.optionalObject("rope_parameters")
        let older = try reader.config.optionalObject("rope_scaling")
        // The older name wins, but where it has nothing in it.
        let isOlder = older.map { !$0.isEmpty } ?? (newer == nil)
        let settings = (isOlder ? older : newer) ?? JSONObject()
        let name = isOlder ? "rope_scaling" : "rope_parameters"
        for (key, value) in settings where value.objectValue != nil {
            throw GraftError(
                .unsupported,
                "\(reader.file): \(name) has settings of its own for \"\(key)\"; expected one for all layers")
        }
        let outside = try reader.config.optionalDouble("rope_theta")
        try self.init(
            settings, named: name, base: outside ?? usual, maximumLength: maximumLength, reader, usualShare: usualShare)
    }

    /// - Parameter name: where the settings are, for messages.
    init(
        _ settings: JSONObject, named name: String, base usual: Double, maximumLength: Int,
        _ reader: ConfigurationReader, usualShare: Double? = nil
    ) throws(GraftError) {
        func positive(_ key: String, _ given: Double? = nil) throws(GraftError) -> Float {
            let value = if let given { given } else { try settings.double(key) }
            guard Float(value) > 0, Float(value).isFinite else {
                throw GraftError(
                    .corruptFile,
                    "\(reader.file): \(name).\(key) must be a number above 0 that 32 bits hold, found \(value)")
            }
            return Float(value)
        }
        // The one beside these settings goes before the one among them.
        func originalLength() throws(GraftError) -> Float {
            let key = "original_max_position_embeddings"
            let outside = try reader.config.optionalDouble(key)
            let inside = try settings.optionalDouble(key)
            return try positive(key, outside ?? inside ?? Double(maximumLength))
        }
        base = try settings.optionalDouble("rope_theta") ?? usual
        guard base > 1 else {
            throw GraftError(.corruptFile, "\(reader.file): rope_theta must be above 1, found \(base)")
        }
        share = try Self.share(settings, reader, usual: usualShare)
        let oldType = try settings.optionalString("type")
        let type = try settings.optionalString("rope_type") ?? oldType ?? "default"
        switch type {
        case "default": scaling = .none
        case "linear": scaling = .linear(factor: try positive("factor"))
        case "dynamic":
            // Frequencies change only in texts beyond the length that a model takes here.
            _ = try positive("factor")
            scaling = .none
        case "llama3":
            let low = try positive("low_freq_factor")
            let high = try positive("high_freq_factor")
            guard high > low else {
                throw GraftError(
                    .corruptFile,
                    "\(reader.file): \(name).high_freq_factor \(high) must be above low_freq_factor \(low)")
            }
            scaling = .llama3(
                factor: try positive("factor"), lowFrequencyFactor: low, highFrequencyFactor: high,
                originalLength: try originalLength())
        case "yarn":
            let length = Double(try originalLength())
            let factor = try settings.optionalDouble("factor") ?? Double(maximumLength) / length
            _ = try positive("factor", factor)
            scaling = .yarn(
                Rotary.Yarn(
                    factor: factor,
                    attentionFactor: try positive("attention_factor", Self.attentionFactor(settings, factor)),
                    betaFast: Double(try positive("beta_fast", Self.number(settings, "beta_fast") ?? 32)),
                    betaSlow: Double(try positive("beta_slow", Self.number(settings, "beta_slow") ?? 1)),
                    originalLength: length, truncates: try settings.optionalBool("truncate") ?? true))
        default:
            throw GraftError(
                .unsupported,
                "\(reader.file): \(name) has rope_type \"\(type)\"; expected default, linear, dynamic, llama3 or yarn")
        }
    }

    /// YaRN with nothing said but these.
    static func yarn(factor: Double, originalLength: Double) -> Rotary.Yarn {
        Rotary.Yarn(
            factor: factor, attentionFactor: Float(scale(1, of: factor)), betaFast: 32, betaSlow: 1,
            originalLength: originalLength, truncates: true)
    }

    private static func scale(_ weight: Double, of factor: Double) -> Double {
        factor <= 1 ? 1 : 0.1 * weight * log(factor) + 1
    }

    /// How many numbers of a head turn.
    func turnedWidth(of headWidth: Int) -> Int { Int(Double(headWidth) * share) }

    private static func share(
        _ settings: JSONObject, _ reader: ConfigurationReader, usual: Double?
    ) throws(GraftError) -> Double {
        let key = "partial_rotary_factor"
        let outside = try reader.config.optionalDouble(key)
        let share = try settings.optionalDouble(key) ?? outside ?? usual ?? 1
        guard share == 1 || usual != nil && share > 0 && share < 1 else {
            throw GraftError(
                .unsupported,
                "\(reader.file): \(key) is \(share); expected "
                    + (usual == nil ? "1" : "a number above 0 and at most 1"))
        }
        return share
    }

    /// A number that counts as missing where it is 0.
    private static func number(_ settings: JSONObject, _ key: String) throws(GraftError) -> Double? {
        let found = try settings.optionalDouble(key)
        return found == 0 ? nil : found
    }

    /// By what YaRN multiplies turned numbers.
    private static func attentionFactor(_ settings: JSONObject, _ factor: Double) throws(GraftError) -> Double {
        if let given = try settings.optionalDouble("attention_factor") { return given }
        guard let weight = try number(settings, "mscale"), let ofAll = try number(settings, "mscale_all_dim") else {
            return scale(1, of: factor)
        }
        return scale(weight, of: factor) / scale(ofAll, of: factor)
    }
}
