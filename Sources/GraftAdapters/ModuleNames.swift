import GraftLayers

/// How an adapter's file names the modules of a model.
///
/// Saved from a task class, a module's name begins with the backbone's; saved from the bare
/// encoder, it does not.
package struct ModuleNames: Sendable {
    package let model: Model
    /// The model's sites, with the sizes that they have for the adapter: its vocabulary may be
    /// another than the model's.
    package let sites: [Site]
    private let prefix: String
    private let hasPooler: Bool
    /// Whether the class that was saved has the head for masked words.
    private let hasMaskedHead: Bool
    /// Before the module's name.
    let start: String
    /// Between the module's name and the tensor's.
    private let middle: String
    /// The module that keeps what adapters do at a hidden site, where that is not the sub-layer
    /// itself.
    private let holders: [Site.Sublayer: String]

    init(
        model: Model, hasBackbonePrefix: Bool, of head: HeadClass? = nil, start: String = "", middle: String = ".",
        holders: [Site.Sublayer: String] = [:], hasPooler: Bool = true,
        hasMaskedHead: Bool = false, sites: [Site]? = nil
    ) {
        self.model = model
        self.sites = sites ?? model.sites
        self.start = start
        self.middle = middle
        self.holders = holders
        self.hasPooler = hasPooler
        self.hasMaskedHead = hasMaskedHead
        prefix = hasBackbonePrefix ? model.conventions.start(of: head) : ""
    }

    /// The same names, of sites that have other sizes.
    init(_ names: ModuleNames, sites: [Site]) {
        (model, prefix, start) = (names.model, names.prefix, names.start)
        (middle, holders, hasPooler) = (names.middle, names.holders, names.hasPooler)
        hasMaskedHead = names.hasMaskedHead
        self.sites = sites
    }

    /// Whether the class that was saved has the module: those of tasks may lack the pooler, and the
    /// bare encoder lacks what a head has in its place.
    func has(_ site: Site) -> Bool {
        if site.place == .beside, model.conventions.isMaskedHead(site.path) { return hasMaskedHead }
        guard site.depth == model.shape.poolerDepth else { return true }
        return site.place == .beside ? !prefix.isEmpty : hasPooler
    }

    /// As `named_modules()` of the class that was saved says it.
    package func path(of site: Site) -> String {
        if case .hidden(let sublayer) = site.kind, let holder = holders[sublayer],
            let dot = site.path.lastIndex(of: ".")
        {
            return prefix + site.path[...dot] + holder
        }
        return (site.place == .beside ? "" : prefix) + site.path
    }

    /// As the file says it.
    package func tensor(_ path: String, _ suffix: String) -> String { start + path + middle + suffix }

    /// A tensor's name whatever class the adapter was saved from.
    func bare(_ tensor: String) -> String {
        let full = start + prefix
        return tensor.hasPrefix(full) ? String(tensor.dropFirst(full.count)) : tensor
    }
}
