import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftAdapters

/// What a plan takes at which sites.
@Suite struct AdapterPlanTests {
    private final class Adding: EmbeddingAction {
        func forward(
            _ ids: UnsafePointer<Int32>, into y: Matrix, _ module: EmbeddingModule, _ context: SiteContext
        ) -> UnsafeMutableRawPointer? { nil }

        func backward(
            _ dy: Matrix, ids: UnsafePointer<Int32>, kept: UnsafeMutableRawPointer?, _ context: SiteContext
        ) {}
    }

    @Test("A site takes one action, of its own kind")
    func kinds() throws {
        let sites = try Architectures.load(path: Goldens.path("bert-tiny/base"), precision: .float32).sites
        var plan = AdapterPlan(sites)
        for (index, site) in sites.enumerated() {
            if site.kind == .embedding {
                try plan.act(at: index, .embedding(Adding()))
                #expect(plan.sites[index]?.action != nil)
            }
            let error = #expect(throws: GraftError.self) { try plan.act(at: index, .embedding(Adding())) }
            #expect(error?.code == .internal, "\(site.path)")
        }
    }
}
