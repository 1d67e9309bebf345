const trees = [['cherry', 'june'], ['plum', 'august'], ['apple', 'september'], ['pear', 'september']]

export const ripe = month => trees.filter(tree => tree[1] === month).map(tree => tree[0])
