class Service {
    public static void main(String[] args) {
        System.out.println("up");
    }
}
