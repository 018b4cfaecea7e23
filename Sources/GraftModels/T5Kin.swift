import GraftFormats
import GraftLayers
import GraftTensor

/// An architecture of T5's modules, which differs from it in settings and names.
protocol T5Kin: Architecture {
    static var usual: T5Configuration.Usual { get }
}

extension T5Kin {
    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        try T5.load(folder, conventions, usual, precision: precision, team: team)
    }
}
