import GraftLayers

/// Marian (Junczys-Dowmunt et al. 2018), as transformers has its models: BART with sinusoidal
/// positions and no norm of the embeddings. Where PEFT has no default targets for it, BART's serve.
enum Marian: BartKin {
    static let conventions = Bart.conventions.named("marian", className: "Marian")

    static let form = BartConfiguration.Form(
        numbering: nil, normsEmbeddings: false, vocabularySize: 58101, paddingToken: 58100, endToken: 0,
        startToken: 58100)
}
