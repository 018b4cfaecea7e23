import GraftAdapters
import GraftFormats
import GraftLayers
import GraftTensor

/// Learning rates of some parameters as ratios to that of all others: where one rate is too high
/// for some and too low for others. What torch says by groups of parameters.
struct RateRatios {
    /// What every optimizer's settings end with.
    static let settings = [head, loraPlus]
    static let head = Setting.number(
        "head_lr_ratio", 1, in: 0...1e6,
        "The learning rate of the adapter's head, over that of all others; a pooler of the model is not of the head.")
    /// Hayou et al. 2024, as PEFT's `create_loraplus_optimizer`.
    static let loraPlus = Setting.number(
        "loraplus_lr_ratio", 1, in: 0...1e6,
        "LoRA+: the learning rate of lora_B and of vectors, over that of all others. With both ratios their product.")

    /// Neighbours in the flat array that have one ratio, in their order; all that learns is in one.
    let parts: [(range: Range<Int>, ratio: Double)]

    /// One rate for all.
    init(count: Int) { parts = [(0..<count, 1)] }

    /// Refuses a ratio that would change nothing, since the adapter has no such parameters.
    init(_ settings: Settings, of plan: AdapterPlan) throws(GraftError) {
        let (headRatio, loraRatio) = (settings.number(Self.head), settings.number(Self.loraPlus))
        let heads = Set((plan.head?.parameters ?? []).map(\.offset))
        func isMatrixB(_ tensor: PlannedTensor) -> Bool { tensor.name.split(separator: ".").contains("lora_B") }
        for (setting, ratio, isThere, missing) in [
            (Self.head, headRatio, !heads.isEmpty, "head"),
            (Self.loraPlus, loraRatio, plan.tensors.contains(where: isMatrixB), "lora_B"),
        ] where ratio != 1 && !isThere {
            throw GraftError(
                .invalidArgument,
                "optimizer_settings: \(setting.key) \(ratio), and the adapter has no \(missing): expected 1")
        }
        let learned = plan.tensors.filter { !$0.parameter.isFrozen }.sorted {
            $0.parameter.offset < $1.parameter.offset
        }
        var parts: [(range: Range<Int>, ratio: Double)] = []
        for (index, tensor) in learned.enumerated() {
            let start = tensor.parameter.offset
            let end = index + 1 < learned.count ? learned[index + 1].parameter.offset : plan.trainedCount
            let ratio =
                (heads.contains(start) ? headRatio : 1) * (isMatrixB(tensor) || tensor.shape.count == 1 ? loraRatio : 1)
            if let last = parts.last, last.ratio == ratio {
                parts[parts.count - 1].range = last.range.lowerBound..<end
            } else {
                parts.append((start..<end, ratio))
            }
        }
        self.parts = parts
    }
}
