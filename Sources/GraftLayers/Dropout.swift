import CGraftKernels
import GraftTensor

/// One of a model's dropouts, of a matrix that has a row for each of a unit.
package struct Dropout: Sendable {
    private let probability: Float
    /// Which dropout of the model this is.
    private let site: Int
    private let unit: Pass.Unit

    package init(probability: Float, site: Int, unit: Pass.Unit = .tokens) {
        self.probability = probability
        self.site = site
        self.unit = unit
    }

    /// Drops numbers of x, or of its gradient, in place.
    func apply(to x: Matrix, _ pass: Pass) {
        guard var settings = settings(pass, width: x.columns) else { return }
        gk_apply_dropout(pass.team.kernel, &settings, Int64(x.count), x.base, x.base)
    }

    /// For a kernel that drops numbers while it does something else; nil where the pass drops none.
    func settings(_ pass: Pass, width: Int) -> gk_dropout? {
        pass.dropout(site: site, probability: probability, width: width, unit: unit)
    }
}
