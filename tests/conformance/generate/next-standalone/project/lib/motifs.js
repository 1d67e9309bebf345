export const motifs = ['lighthouse', 'old town', 'beach']
