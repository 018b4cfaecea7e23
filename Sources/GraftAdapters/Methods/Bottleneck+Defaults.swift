import GraftFormats
import GraftLayers
import GraftTensor

extension Bottleneck {
    /// AdapterHub's `BnConfig`: every setting with its default, but for those that have none.
    private static let defaults: JSON = [
        "adapter_residual_before_ln": false, "cross_adapter": false, "dropout": 0.0, "factorized_phm_W": true,
        "factorized_phm_rule": false, "hypercomplex_nonlinearity": "glorot-uniform", "init_weights": "bert",
        "init_weights_seed": nil, "inv_adapter": nil, "inv_adapter_reduction_factor": nil, "is_parallel": false,
        "learn_phm": true, "leave_out": [], "ln_after": false, "ln_before": false, "original_ln_after": true,
        "original_ln_before": false, "phm_bias": true, "phm_c_init": "normal", "phm_dim": 4, "phm_init_range": 0.0001,
        "phm_layer": false, "phm_rank": 1, "residual_before_ln": true, "scaling": 1.0, "shared_W_phm": false,
        "shared_phm_rule": true, "stochastic_depth": 0.0, "use_gating": false,
    ]

    /// The named configurations, under AdapterHub's names and its older ones.
    private static let named: [(names: [String], settings: JSON)] = [
        (
            ["seq_bn", "pfeiffer"],
            [
                "mh_adapter": false, "output_adapter": true, "non_linearity": "relu", "reduction_factor": 16,
                "original_ln_before": true,
            ]
        ),
        (
            ["double_seq_bn", "houlsby"],
            ["mh_adapter": true, "output_adapter": true, "non_linearity": "swish", "reduction_factor": 16]
        ),
        (
            ["par_bn", "parallel"],
            [
                "mh_adapter": false, "output_adapter": true, "non_linearity": "relu", "reduction_factor": 2,
                "init_weights": "mam_adapter", "is_parallel": true, "scaling": 4.0,
            ]
        ),
    ]

    /// What is given over the configuration that `config` names, which is seq_bn where nothing is
    /// said.
    package static func settings(
        completing given: JSONObject, for model: Model, place: String
    ) throws(GraftError) -> JSONObject {
        let name = try given.optionalString("config") ?? "seq_bn"
        guard let start = named.first(where: { $0.names.contains(name) })?.settings else {
            throw GraftError(
                .unsupported,
                "\(place): config \"\(name)\"; expected one of "
                    + named.flatMap { $0.names }.map { "\"\($0)\"" }.joined(separator: ", "))
        }
        var settings = JSONObject()
        for part in [defaults.objectValue, start.objectValue, given] {
            for (key, value) in part ?? JSONObject() where key != "config" { settings[key] = value }
        }
        // AdapterHub takes only a number with a point for one.
        if let scaling = settings["scaling"]?.doubleValue { settings["scaling"] = .double(scaling) }
        return settings
    }
}
