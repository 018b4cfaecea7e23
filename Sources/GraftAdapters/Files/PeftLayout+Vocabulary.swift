import CGraftKernels
import GraftFormats
import GraftLayers
import GraftTensor

/// PEFT saves the tables of the vocabulary with an adapter when they are adapted, when it is told
/// to, and by itself when tokens were added (`save_embedding_layers`). They take the place of the
/// model's, with as many rows as they have, and do not learn unless `modules_to_save` names them.
/// The base layer of an adapted table is a copy of the model's own, unless it has other rows.
extension PeftLayout {
    /// A table in full: under its module's own name, or where the module is adapted as its base
    /// layer.
    struct Table: Sendable {
        let isBaseLayer: Bool
        /// Another site whose numbers are these too, since the model ties them, and whether the
        /// file has them twice.
        var twin: (site: Int, isStored: Bool)?

        var suffix: String { isBaseLayer ? "base_layer.weight" : "weight" }
    }

    /// The names with the vocabulary that the file's tensors have, and the tables that are not the
    /// model's own.
    static func vocabulary(
        _ folder: AdapterFolder, _ config: JSONObject, _ names: ModuleNames
    ) throws(GraftError) -> (ModuleNames, [Int: Table]) {
        let model = names.model
        let places = [model.vocabulary.words] + (model.vocabulary.head.map { [$0] } ?? [])
        let saved = try config.optionalStrings("modules_to_save") ?? []
        var sites = model.sites
        var tables: [Int: Table] = [:]
        var stored: [Int: StoredTensor] = [:]
        for index in places {
            let path = names.path(of: sites[index])
            func tensor(_ suffix: String) -> StoredTensor? { folder.tensor(names.tensor(path, suffix)) }
            let table = tensor("weight") ?? tensor("base_layer.weight")
            let sizes = [
                table?.shape.first, tensor("lora_embedding_A")?.shape.last, tensor("lora_B.weight")?.shape.first,
            ]
            if let size = sizes.lazy.compactMap({ $0 }).first, size != vocabularySize(sites[index]), size > 0 {
                sites[index] = sites[index].with(vocabulary: size)
            }
            let isBaseLayer = tensor("weight") == nil
            guard let table, isBaseLayer || !saved.contains(where: { AdapterPlan.covers($0, path) }) else { continue }
            if table.shape == model.sites[index].weightShape {
                guard !isBaseLayer, try !isModelsOwn(table, model.sites[index]) else { continue }
            }
            tables[index] = Table(isBaseLayer: isBaseLayer)
            stored[index] = table
        }
        if let head = model.vocabulary.tiedHead {
            let words = model.vocabulary.words
            for (site, other) in [(words, head), (head, words)] where tables[site] != nil {
                let isSame = stored[site]?.holdsTheSame(as: stored[other]) ?? false
                guard tables[other] == nil || isSame && tables[other]?.isBaseLayer == tables[site]?.isBaseLayer else {
                    continue
                }
                let isStored = tables[other] != nil
                tables[site]?.twin = (other, isStored)
                tables[other] = nil
                sites[other] = sites[other].with(vocabulary: vocabularySize(sites[site]))
                break
            }
        }
        return (ModuleNames(names, sites: sites), tables)
    }

    private static func vocabularySize(_ site: Site) -> Int { site.kind == .embedding ? site.inputs : site.outputs }

    func planTables(_ tables: [Int: Table], _ plan: inout AdapterPlan) throws(GraftError) {
        for (index, table) in tables.sorted(by: { $0.key < $1.key }) where plan.sites[index]?.weight == nil {
            let site = names.sites[index]
            let second = table.twin.flatMap { $0.isStored ? names.path(of: names.sites[$0.site]) : nil }
            let weight = try plan.add(
                names.tensor(names.path(of: site), table.suffix), shape: site.weightShape, .zero, isFrozen: true,
                secondName: second.map { names.tensor($0, table.suffix) })
            for place in [index] + (table.twin.map { [$0.site] } ?? []) where plan.sites[place]?.weight == nil {
                plan.replace(at: place, weight: weight)
            }
        }
        if try config.optionalBool("ensure_weight_tying") ?? false, let head = names.model.vocabulary.tiedHead,
            [head, names.model.vocabulary.words].contains(where: { plan.sites[$0]?.action != nil })
        {
            throw GraftError(
                .unsupported, "ensure_weight_tying: this build ties modules_to_save, and not what adapts tied tables")
        }
        try requireTables(plan)
    }

    /// A vocabulary of another size than the model's needs tables of that size, and every token
    /// that may be chosen needs a row.
    private func requireTables(_ plan: AdapterPlan) throws(GraftError) {
        let (words, head) = (names.model.vocabulary.words, names.model.vocabulary.head)
        for index in [words, head ?? words] where plan.sites[index]?.weight == nil {
            let (size, own) = (Self.vocabularySize(names.sites[index]), Self.vocabularySize(names.model.sites[index]))
            guard size != own else { continue }
            throw GraftError(
                .incompatible,
                "the adapter has \(names.path(of: names.sites[index])) for \(size) tokens and no table of so many; the model "
                    + "has \(own)")
        }
        let (rows, outputs) = (
            Self.vocabularySize(names.sites[words]), head.map { Self.vocabularySize(names.sites[$0]) }
        )
        guard outputs ?? 0 <= rows else {
            throw GraftError(
                .incompatible, "the adapter chooses among \(outputs ?? 0) tokens and has a table of \(rows)")
        }
    }

    /// Whether a table has the model's own numbers; either may have been rounded where the other
    /// was not.
    static func isModelsOwn(_ stored: StoredTensor, _ site: Site) throws(GraftError) -> Bool {
        guard stored.shape == site.weightShape, let type = stored.elementType.kernelType,
            let bytes = stored.bytes.baseAddress
        else { return false }
        let count = site.inputs * site.outputs
        let own = try Memory(byteCount: count * 4)
        let copy = try Memory(byteCount: count * 4)
        site.copyWeight(own.floats())
        gk_to_float32(Int64(count), bytes, type, copy.floats())
        try round(own.floats(), count: count, to: type)
        try round(copy.floats(), count: count, to: site.precision.kernelType)
        return (0..<count).allSatisfy { own.floats()[$0] == copy.floats()[$0] }
    }

    private static func round(_ numbers: UnsafeMutablePointer<Float>, count: Int, to type: gk_type) throws(GraftError) {
        guard [gk_type(GK_BFLOAT16), gk_type(GK_FLOAT16)].contains(type) else { return }
        let rounded = try Memory(byteCount: count * 2)
        gk_from_float32(Int64(count), numbers, type, rounded.base)
        gk_to_float32(Int64(count), rounded.base, type, numbers)
    }
}
