import GraftFormats
import GraftLayers
import GraftTensor

/// An architecture of BART's modules, which differs from it in settings and names.
protocol BartKin: Architecture {
    static var form: BartConfiguration.Form { get }
}

extension BartKin {
    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        try Bart.load(folder, conventions, form, precision: precision, team: team)
    }
}
