import GraftLayers

/// mBART (Liu et al. 2020): BART with norms before each sub-layer and after each stack. A target
/// ends with its language, which goes before it as well. Where PEFT has no default targets for it,
/// BART's serve.
enum MBart: BartKin {
    static let conventions = Bart.conventions.named("mbart", className: "MBart")

    static let form = BartConfiguration.Form(
        numbering: .placesFrom(2), normsBefore: true, vocabularySize: 50265, paddingToken: 1, endToken: 2,
        startToken: nil, labelCount: 2)
}
