import ms from 'ms'

interface Recipe { hop: string, boil: string }

const recipes: Record<string, Recipe> = {
  pale: { hop: 'cascade', boil: ms(3600000) },
  stout: { hop: 'fuggle', boil: ms(5400000) }
}

export const hops = (): string[] => Object.values(recipes).map(recipe => recipe.hop)
export const recipe = (name: string): Recipe | undefined => recipes[name]
