import GraftFormats
import GraftLayers
import GraftTensor

/// Marian (Junczys-Dowmunt et al. 2018), as transformers has its models: BART with sinusoidal
/// positions and no norm of the embeddings. Where PEFT has no default targets for it, BART's serve.
enum Marian: Architecture {
    static let conventions = Bart.conventions.named("marian", className: "Marian")

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let form = BartConfiguration.Form(
            positions: .sinusoidal, normsEmbeddings: false, vocabularySize: 58101, paddingToken: 58100, endToken: 0,
            startToken: 58100)
        return try Bart.load(folder, conventions, form, precision: precision, team: team)
    }
}
