import Aviary
import AviaryGraph
for a in Registry.builtin.architectures {
  let n = try a.network()
  print(
    a.info.name, n.graph.parameterCount, n.graph.sizeRule(),
    try n.graph.tiling(height: 100, width: 104),
    try n.graph.multiplyAdds(height: 100, width: 100) / 1e9)
  print((try? Registry.builtin.detect(WeightIndex(n.graph)).network.label) ?? "-")
}
