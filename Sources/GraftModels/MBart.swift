import GraftFormats
import GraftLayers
import GraftTensor

/// mBART (Liu et al. 2020): BART with norms before each sub-layer and after each stack. A target
/// ends with its language, which goes before it as well. Where PEFT has no default targets for it,
/// BART's serve.
enum MBart: Architecture {
    static let conventions = Bart.conventions.named("mbart", className: "MBart")

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let form = BartConfiguration.Form(
            positions: .learned(firstRow: 2), normsBefore: true, vocabularySize: 50265, paddingToken: 1, endToken: 2,
            startToken: nil)
        return try Bart.load(folder, conventions, form, precision: precision, team: team)
    }
}
