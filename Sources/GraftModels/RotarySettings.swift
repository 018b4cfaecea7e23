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

    /// Of how long a text these are; nil of any.
    let longestText: Int?

    /// What an architecture calls some of these settings, and has where nothing is said.
    struct Usage {
        var baseKey = "rope_theta"
        var shareKey = "partial_rotary_factor"
        /// The share of a head that turns; nil where all turns.
        var share: Double?
        /// How long texts were at first, which then only config.json itself says.
        var originalLength: Int?
        /// What "longrope" has been called, too.
        var longNames: [String] = []
    }

    /// Those of all layers.
    ///
    /// - Parameter usual: the base where nothing is said.
    init(
        _ reader: ConfigurationReader, base usual: Double, maximumLength: Int, _ usage: Usage = Usage()
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
        let outside = try reader.config.optionalDouble(usage.baseKey)
        try self.init(
            settings, named: name, base: outside ?? usual, maximumLength: maximumLength, reader, usage)
    }

    /// - Parameter name: where the settings are, for messages.
    init(
        _ settings: JSONObject, named name: String, base usual: Double, maximumLength: Int,
        _ reader: ConfigurationReader, _ usage: Usage = Usage()
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
            let usual = usage.originalLength.map { Double($0) } ?? inside ?? Double(maximumLength)
            return try positive(key, outside ?? usual)
        }
        base = try settings.optionalDouble("rope_theta") ?? usual
        guard base > 1 else {
            throw GraftError(.corruptFile, "\(reader.file): rope_theta must be above 1, found \(base)")
        }
        share = try Self.share(settings, reader, usage)
        let oldType = try settings.optionalString("type")
        let named = try settings.optionalString("rope_type") ?? oldType ?? "default"
        let type = usage.longNames.contains(named) ? "longrope" : named
        let turnsLong = type == "longrope" ? try settings.optionalArray("long_factor") != nil : false
        longestText = type == "longrope" && !turnsLong ? try Int(originalLength()) : nil
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
        case "longrope":
            let length = Double(try originalLength())
            let factor = try settings.optionalDouble("factor") ?? Double(maximumLength) / length
            let usual = factor <= 1 ? 1 : (1 + log(factor) / log(length)).squareRoot()
            scaling = .longRope(
                Rotary.LongRope(
                    short: try Self.factors(settings, "short_factor", named: name, reader),
                    long: turnsLong ? try Self.factors(settings, "long_factor", named: name, reader) : nil,
                    originalLength: Int(length),
                    attentionFactor: try positive(
                        "attention_factor", settings.optionalDouble("attention_factor") ?? usual)))
        default:
            throw GraftError(
                .unsupported,
                "\(reader.file): \(name) has rope_type \"\(type)\"; expected default, linear, dynamic, llama3, yarn or "
                    + "longrope")
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

    /// Refuses what does not fit heads of that width.
    func check(_ headWidth: Int, _ reader: ConfigurationReader) throws(GraftError) {
        let turned = turnedWidth(of: headWidth)
        guard turned > 0, turned % 2 == 0 else {
            throw GraftError(
                .unsupported,
                "\(reader.file): partial_rotary_factor \(share) turns \(turned) of a head's \(headWidth) numbers; expected an "
                    + "even number from 2")
        }
        guard case .longRope(let factors) = scaling else { return }
        for (key, factors) in [("short_factor", factors.short), ("long_factor", factors.long ?? factors.short)]
        where factors.count != turned / 2 {
            throw GraftError(
                .corruptFile,
                "\(reader.file): \(key) must have \(turned / 2) numbers, one for each two that turn, found "
                    + "\(factors.count)")
        }
    }

    private static func share(
        _ settings: JSONObject, _ reader: ConfigurationReader, _ usage: Usage
    ) throws(GraftError) -> Double {
        let inside = try settings.optionalDouble("partial_rotary_factor")
        let outside = try reader.config.optionalDouble(usage.shareKey)
        let share = inside ?? outside ?? usage.share ?? 1
        guard share == 1 || usage.share != nil && share > 0 && share < 1 else {
            throw GraftError(
                .unsupported,
                "\(reader.file): \(inside == nil ? usage.shareKey : "partial_rotary_factor") is \(share); expected "
                    + (usage.share == nil ? "1" : "a number above 0 and at most 1"))
        }
        return share
    }

    /// By what LongRoPE divides frequencies.
    private static func factors(
        _ settings: JSONObject, _ key: String, named name: String, _ reader: ConfigurationReader
    ) throws(GraftError) -> [Float] {
        let given = try settings.array(key)
        let factors = given.compactMap { $0.doubleValue.map { Float($0) } }.filter { $0 > 0 && $0.isFinite }
        guard factors.count == given.count else {
            throw GraftError(
                .corruptFile, "\(reader.file): \(name).\(key) must have numbers above 0 that 32 bits hold")
        }
        return factors
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
